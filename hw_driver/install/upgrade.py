"""A newer driver beside the old one: fetched from Odoo, tried on a copy of the journal, started when nobody pays.

The supervisor starts it on trial and puts the old one back when it does not come up (supervisor.py).
"""

from __future__ import annotations

import hashlib
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ..client import Client, NoAnswer, NotRunning, Refused
from ..configuration import Settings
from ..pairing import Pairing
from ..protocols.machine import CardTerminalError
from ..state_folder import StateFolder
from . import supervisor
from .versions import CannotInstall, Program

MAX_WHEEL = 50_000_000
TIMEOUT = 60.0
#: Seconds in which the supervisor must have decided about a version on trial, and between two looks.
TRIAL_SECONDS = supervisor.START_SECONDS + supervisor.SETTLE_SECONDS + supervisor.STOP_SECONDS + 10
LOOK = 0.5


class NotUpgraded(CannotInstall):
    """The driver that ran before runs on, or again."""


def fetch(settings: Settings, folder: StateFolder) -> bytes:
    """Return the wheel that Odoo offers; its hash came in an answer signed with this driver's key."""
    if settings.odoo is None:
        raise NotUpgraded("this driver is not paired; name the new version's wheel with --file")
    offer = Pairing(folder, settings.odoo.key).offer
    if not isinstance(offer.get("file"), str) or not isinstance(offer.get("sha256"), str):
        raise NotUpgraded("Odoo has not offered a version yet: the driver must have reached it once")
    url = settings.odoo.url + offer["file"]
    request = urllib.request.Request(url, headers={"X-Odoo-Database": settings.odoo.database})  # noqa: S310 - http or https
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            data = response.read(MAX_WHEEL + 1)
    except (OSError, urllib.error.URLError) as error:
        raise NotUpgraded(f"{url} cannot be fetched: {getattr(error, 'reason', error)}") from None
    if not isinstance(data, bytes) or hashlib.sha256(data).hexdigest() != offer["sha256"]:
        raise NotUpgraded(f"what {url} gives is not the version that Odoo announced; try again later")
    return data


def upgrade(program: Program, folder: StateFolder, wheel: bytes, config: Path, wait: float) -> str:
    """Change to the version in a wheel; return a sentence. `NotUpgraded` when the old one runs on."""
    pointer = program.pointer()
    entry = program.unpack(wheel)
    if entry["folder"] == pointer["current"]["folder"]:
        return f"Version {entry['version']} is in use already."
    return _change(program, folder, entry, config, wait)


def go_back(program: Program, folder: StateFolder, config: Path, wait: float) -> str:
    """Change to the version before the current one; return a sentence."""
    previous = program.pointer().get("previous")
    if not previous:
        raise NotUpgraded("there is no version before this one")
    return _change(program, folder, previous, config, wait)


def _change(program: Program, folder: StateFolder, entry: dict[str, str], config: Path, wait: float) -> str:
    client = _client(folder)
    copy = _backup(client, folder)
    if why := program.check(entry, config, copy):
        raise NotUpgraded(f"version {entry['version']} cannot take over here ({why}); nothing was changed")
    before = program.pointer()
    supervisor.write(
        program.path, {**before, "current": entry, "previous": before["current"], "trial": True, "failed": None}
    )
    if client is None:
        return f"Version {entry['version']} is used from the next start on."
    try:
        _stop_when_idle(client, wait)
    except CardTerminalError:
        supervisor.write(program.path, before)
        raise
    after = _decided(program)
    if failed := after.get("failed"):
        raise NotUpgraded(f"version {failed['version']} did not start ({failed['why']}); the one before runs again")
    program.tidy()
    return f"Version {after['current']['version']} runs. A copy of the journal: {copy}"


def _client(folder: StateFolder) -> Client | None:
    try:
        client = Client(folder)
        client.get("/v1/health")
    except NotRunning:
        return None
    return client


def _backup(client: Client | None, folder: StateFolder) -> Path | None:
    """Copy the journal: through the driver that has it open, or the file itself."""
    if client:
        return Path(str(client.call("POST", "/v1/backup")["path"]))
    return folder.journal if folder.journal.exists() else None


def _stop_when_idle(client: Client, wait: float) -> None:
    """Ask the driver to stop as soon as no terminal is in use; it refuses while somebody pays."""
    deadline = time.monotonic() + wait
    waiting = ""
    while True:
        try:
            client.call("POST", "/v1/stop")
            return
        except Refused as error:
            if error.code != "terminal_busy":
                raise
            if time.monotonic() > deadline:
                raise NotUpgraded(f"{error} Nothing was changed; try again in a quieter hour.") from None
            if str(error) != waiting:
                waiting = str(error)
                print(f"Waiting: {waiting}", file=sys.stderr)
        except NoAnswer:  # it stopped before its answer was read
            return
        time.sleep(LOOK)


def _decided(program: Program) -> dict[str, Any]:
    """Wait until the supervisor has kept the new version, or put the old one back."""
    deadline = time.monotonic() + TRIAL_SECONDS
    while (pointer := program.pointer())["trial"]:
        if time.monotonic() > deadline:
            raise NotUpgraded("the new version has not been started: is the service running? See: card-terminal doctor")
        time.sleep(LOOK)
    return pointer
