"""What every signed post to Odoo has in common: its headers, and what is wrong where it does not arrive."""

from __future__ import annotations

import aiohttp

from ..configuration import OdooSettings

SIGNATURE = "X-Card-Terminal-Signature"


def headers(odoo: OdooSettings, driver: str, signature: str) -> dict[str, str]:
    """Return the headers of a body that this driver signed (docs/api.md 2)."""
    return {
        "Content-Type": "application/json",
        "X-Odoo-Database": odoo.database,
        "X-Card-Terminal-Driver": driver,
        SIGNATURE: signature,
    }


def why(error: Exception) -> str:
    """Return what is wrong with the way to Odoo, in words."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f"Odoo's certificate is not accepted: {error}"
        case aiohttp.WSServerHandshakeError(status=status):
            return f"no websocket (status {status}): the proxy before Odoo must pass /websocket to Odoo's bus"
        case aiohttp.ClientConnectorError(host=host, port=port):
            return f"{host} port {port} cannot be reached: {error.strerror}"
        case TimeoutError():
            return "Odoo does not answer in time"
        case _:
            return str(error) or type(error).__name__
