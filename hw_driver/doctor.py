"""`card-terminal doctor`: looks at every part between till, terminal and Odoo; says what is wrong and what to do."""

from __future__ import annotations

import socket
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from .client import Client, NotRunning
from .clock import parse
from .configuration import OdooSettings, Settings, load
from .install import examine as installed
from .protocols.machine import CardTerminalError
from .state_folder import StateFolder, StateFolderError, require_private

MARKS = {True: "ok  ", False: "BAD ", None: "    "}
CONNECT_TIMEOUT = 3.0
#: A clock this far off makes one-time grants (10 minutes) look expired.
CLOCK_TOLERANCE = 120.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `good` is None for what is only said. `advice` says what to do."""

    good: bool | None
    text: str
    advice: str = ""


def run(config: Path, folder: StateFolder, *, identify: bool = False) -> int:
    """Print every finding; 0 when nothing is wrong, 1 otherwise."""
    worst = 0
    for finding in examine(config, folder, identify=identify):
        print(f"{MARKS[finding.good]}{finding.text}")
        if finding.good is False:
            worst = 1
            print(f"      -> {finding.advice}")
        sys.stdout.flush()
    return worst


def examine(config: Path, folder: StateFolder, *, identify: bool = False) -> Iterator[Finding]:
    """Look at everything, the plainest causes first."""
    settings: Settings | None = None
    try:
        settings = load(config, folder.path)
        if settings.odoo:
            require_private(config)
        yield Finding(True, f"configuration {config}")
    except CardTerminalError as error:
        yield Finding(False, "the configuration cannot be used", str(error))
    client, health = None, None
    try:
        client = Client(folder)
        health = client.get("/v1/health")
    except CardTerminalError as error:
        yield from _no_driver(settings, folder, error)
    if client and health:
        yield from _driver(client, health)
        yield from _clock(health)
        for terminal in client.get("/v1/terminals")["terminals"]:
            yield from _terminal(terminal, client if identify else None)
    elif settings:
        for known in settings.till_side.terminals:
            yield from _reach(known.name, dict(known.transport))
    if settings:
        for found in (*installed.pairing(folder, settings.odoo), *installed.certificate(settings.tls)):
            yield Finding(*found)
    for found in installed.installation(folder):
        yield Finding(*found)
    if settings and settings.odoo:
        yield from _odoo(settings.odoo)


def _no_driver(settings: Settings | None, folder: StateFolder, error: CardTerminalError) -> Iterator[Finding]:
    if not isinstance(error, NotRunning | StateFolderError):
        yield Finding(False, "the driver does not answer as it should", str(error))
        return
    yield Finding(False, "no driver runs here", str(error))
    yield _writable(folder)
    if settings and settings.port:
        yield _port_free(settings.listen, settings.port)


def _writable(folder: StateFolder) -> Finding:
    try:
        folder.create()
        folder.write("doctor.test", b"")
        folder.forget("doctor.test")
    except StateFolderError as error:
        return Finding(False, str(error), f"let this user write in {folder.path}, or name another with --state")
    return Finding(True, f"state folder {folder.path} can be written")


def _port_free(listen: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listen, port))
        except OSError as error:
            advice = "stop the program that uses it, or choose another port with driver.port"
            return Finding(False, f"{listen} port {port} cannot be had: {error.strerror}", advice)
    return Finding(True, f"{listen} port {port} is free")


def _driver(client: Client, health: dict[str, Any]) -> Iterator[Finding]:
    storage = health["storage"]
    yield Finding(True, f"driver {health['version']} runs at {client.url}")
    yield Finding(True, f"journal {storage.get('path')}, {health['last']} events, on {storage.get('filesystem')}")
    durable = storage.get("synchronous", "").lower() in ("full", "extra", "2", "3")
    yield Finding(
        durable, f"journal writes are durable (synchronous={storage.get('synchronous')})", "reinstall the driver"
    )
    if health["status"] != "ok":
        error = (health.get("odoo") or {}).get("error") or "see the driver's log"
        yield Finding(False, f"the driver takes no payments now ({health['status']})", str(error))
    elif (health.get("odoo") or {}).get("error"):
        yield Finding(False, "the driver cannot tell Odoo what happens", str(health["odoo"]["error"]))


def _clock(health: dict[str, Any]) -> Iterator[Finding]:
    off = abs((parse(health["now"]) - datetime.now(UTC)).total_seconds())
    advice = "set the clock right (time synchronisation), then restart the driver"
    yield Finding(off < CLOCK_TOLERANCE, f"the clock was moved by {off:.0f} s since the driver started", advice)


def _terminal(terminal: dict[str, Any], client: Client | None) -> Iterator[Finding]:
    name = terminal["name"]
    if terminal["holder"]:
        yield Finding(None, f"terminal {name} is in use by {terminal['holder']['till']}: not disturbed")
        return
    if client is None:
        yield from _reach(name, terminal["transport"])
        return
    number = str(uuid.uuid4())
    try:
        answer = client.call("POST", f"/v1/terminals/{terminal['id']}/identify", {"uuid": number})
        while answer["state"] in ("requested", "sent"):
            answer = client.get(f"/v1/transactions/{number}?after={answer['rev']}&wait=25")
    except CardTerminalError as error:
        yield Finding(False, f"terminal {name} cannot be asked", str(error))
        return
    good = answer["state"] == "approved"
    said = ", ".join(f"{key} {value}" for key, value in (answer["outcome"] or {}).get("details", {}).items())
    yield Finding(good, f"terminal {name} says who it is: {said or answer['code']}", answer["text"])


def _reach(name: str, transport: dict[str, Any]) -> Iterator[Finding]:
    from .transports import REASONS
    from .transports.tcp import reason_of

    if transport.get("kind") != "tcp":
        yield Finding(None, f"terminal {name} is on {transport.get('kind')}: try it with --identify")
        return
    where = f"{transport['host']} port {transport['port']}"
    try:
        socket.create_connection((transport["host"], transport["port"]), CONNECT_TIMEOUT).close()
    except OSError as error:
        yield Finding(False, f"terminal {name} at {where} does not answer", REASONS[reason_of(error)])
    else:
        yield Finding(True, f"terminal {name} answers at {where}")


def _odoo(odoo: OdooSettings) -> Iterator[Finding]:
    request = urllib.request.Request(f"{odoo.url}/web/health", headers={"X-Odoo-Database": odoo.database})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - the configuration allows http(s) only
            date = response.headers.get("Date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("Date")
    except (OSError, ValueError) as error:
        advice = "check odoo.url, the network and Odoo's certificate"
        yield Finding(False, f"Odoo at {odoo.url} cannot be reached: {getattr(error, 'reason', error)}", advice)
        return
    yield Finding(True, f"Odoo at {odoo.url} answers")
    if date:
        off = abs(parsedate_to_datetime(date).timestamp() - time.time())
        advice = "set this machine's clock right (time synchronisation)"
        yield Finding(off < CLOCK_TOLERANCE, f"this clock and Odoo's are {off:.0f} s apart", advice)
