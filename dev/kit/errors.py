"""The one error that is shown to people without a traceback."""

from __future__ import annotations


class SetupError(Exception):
    """Says in one line what is missing and how to get it."""


DISK_FULL = "disk full: free some space, or point CARD_TERMINAL_CACHE at a folder on another disk, and start again"
NO_NETWORK = "no network while {what}: check the connection or the proxy and start again (log: {log})"

_NETWORK_SIGNS = (
    "Temporary failure resolving",
    "Could not resolve",
    "Could not connect",
    "Unable to connect",
    "Connection timed out",
    "Connection failed",
    "Network is unreachable",
    "NewConnectionError",
    "ConnectTimeoutError",
    "NameResolutionError",
    "Failed to establish a new connection",
    "Connection refused",
)


def explain(output: str, what: str, log: object) -> SetupError:
    """The error for a program that failed, told from what it printed."""
    if "No space left on device" in output:
        return SetupError(DISK_FULL)
    if any(sign in output for sign in _NETWORK_SIGNS):
        return SetupError(NO_NETWORK.format(what=what, log=log))
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E: ", "ERROR: ", "error: "))]
    last = (errors or lines or ["it printed nothing"])[-1]
    return SetupError(f"{what} failed: {last} (all of it: {log})")
