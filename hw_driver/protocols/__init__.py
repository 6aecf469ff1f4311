"""The pure core: bytes and time in, effects out. Standard library only, no I/O, no clock."""
