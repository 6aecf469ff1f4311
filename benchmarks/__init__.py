"""Measurements of the driver as a process, seen from outside: `./dev/bench --help`."""
