"""What `doctor` says of the installation: pairing, versions, service, certificate."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import __version__
from ..configuration import OdooSettings, TlsSettings
from ..pairing import STANDINGS, Pairing
from ..protocols.machine import CardTerminalError
from ..state_folder import StateFolder, require_private
from .versions import PROGRAM, Program

#: (good, what was found, what to do)
Found = tuple[bool | None, str, str]
SOON = 30 * 86400.0
#: What to do about each standing that ends selling.
ADVICE = {
    "driver_retired": "nothing, if the new driver runs; otherwise pair this one again: Connect Again, in Odoo",
    "driver_revoked": "press Connect Again in Odoo and run the command it shows, with --replace",
    "driver_outdated": "card-terminal upgrade; or update the module in Odoo, where the driver is the newer one",
}


def pairing(folder: StateFolder, odoo: OdooSettings | None) -> Iterator[Found]:
    """Say what Odoo last said of this driver."""
    if odoo is None:
        yield None, "not paired with an Odoo: it is run from its file alone", ""
        return
    kept = Pairing(folder, odoo.key)
    if kept.refusal:
        code, text = kept.refusal
        assert code in {known for known, _ in STANDINGS.values()}
        yield False, f"Odoo keeps this driver from selling: {text}", ADVICE[code]
    offered = str(kept.offer.get("version", ""))
    if offered and offered != __version__:
        yield None, f"Odoo offers version {offered}, this is {__version__}: card-terminal upgrade", ""


def installation(folder: StateFolder) -> Iterator[Found]:
    """Say which version is installed, and what became of the last change."""
    program = Program(folder.path / PROGRAM)
    if not program.installed:
        return
    try:
        pointer: dict[str, Any] = program.pointer()
        current, previous = pointer["current"], pointer.get("previous")
    except (OSError, ValueError, KeyError):
        yield False, f"{program.path} is damaged", "card-terminal install"
        return
    back = f", {previous['version']} to go back to" if previous else ""
    yield Path(current["folder"]).is_dir(), f"version {current['version']} installed{back}", "card-terminal install"
    if failed := pointer.get("failed"):
        advice = "tell whoever maintains your Odoo; the version before runs on"
        yield False, f"version {failed['version']} was tried and did not start: {failed['why']}", advice


def certificate(tls: TlsSettings | None) -> Iterator[Found]:
    """Say whether HTTPS can be served, and for how long."""
    if tls is None:
        return
    again = "card-terminal certificate NAME …"
    try:
        require_private(tls.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls.certificate, tls.key)
        context.load_verify_locations(tls.certificate)
        ends = min(ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs())
    except CardTerminalError as error:
        yield False, "the key of the certificate is not private", str(error)
    except (OSError, ssl.SSLError, ValueError) as error:
        yield False, f"the certificate {tls.certificate} cannot be used: {error}", again
    else:
        left = ends - time.time()
        names = ", ".join(tls.names) or "its names"
        yield (
            left > SOON,
            f"HTTPS as {names}, on port {tls.port}: the certificate ends in {left / 86400:.0f} days",
            again,
        )
