"""The driver's process is killed, and its power cut. See `command`."""
