"""The command line's way to a running driver: HTTP with a local grant, standard library only."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from .protocols.machine import CardTerminalError, SafeError
from .protocols.states import GRANTED_KINDS, Kind, Money
from .service.grants import local_grant, local_once
from .state_folder import StateFolder

TIMEOUT = 35.0  # seconds; the driver holds an answer for 25 at most
GRANT_LIFE = 3600


class NotRunning(SafeError):
    """No driver runs with this state folder."""


class Refused(CardTerminalError):
    """The driver's refusal; `problem` is its JSON, `money` what it knows of the money."""

    money = Money.UNKNOWN

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "the driver gave no reason")))
        self.code = str(problem.get("code", ""))
        self.money = Money(problem.get("money", Money.UNKNOWN))


class NoAnswer(CardTerminalError):
    """The driver was asked and did not answer."""

    money = Money.UNKNOWN


class Client:
    """Calls to the driver that runs with this state folder."""

    def __init__(self, folder: StateFolder) -> None:
        note = folder.running()
        if note is None:
            raise NotRunning(f"no driver runs with {folder.path}; start one with: card-terminal serve")
        self.url = str(note["url"])
        self._key = folder.local_key()
        self._whom = str(note.get("driver")), str(note.get("database_uuid"))
        # Proxies are for the world outside, never for the driver on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON at a path."""
        return self.call("GET", path)

    def put(self, uuid: str, body: Mapping[str, Any], *, once: bool) -> dict[str, Any]:
        """Start a transaction, with a one-time grant where its kind needs one."""
        grant = local_once(self._key, *self._whom, _in(600), {**body, "uuid": uuid}) if once else None
        return self.call("PUT", f"/v1/transactions/{uuid}", body, grant)

    def errand(self, terminal: str, place: str, kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask something of a terminal itself, with a one-time grant where its kind needs one."""
        asked = {**body, "kind": kind.value, "currency": "", "amount": 0, "terminal": terminal}
        grant = local_once(self._key, *self._whom, _in(600), asked) if kind in GRANTED_KINDS else None
        return self.call("POST", f"/v1/terminals/{terminal}/{place}", body, grant)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, once: str | None = None
    ) -> dict[str, Any]:
        """Return the JSON answer; `Refused`, `NotRunning` or `NoAnswer` otherwise."""
        headers = {"Authorization": f"Bearer {local_grant(self._key, *self._whom, _in(GRANT_LIFE))}"}
        if once:
            headers["X-Card-Terminal-Grant"] = once
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own http url
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                return _json(response.read())
        except urllib.error.HTTPError as error:
            raise Refused(_json(error.read())) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                raise NotRunning(f"no driver answers at {self.url}; start it with: card-terminal serve") from None
            raise NoAnswer(f"the driver at {self.url} does not answer: {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"the driver at {self.url} does not answer: {error}") from None


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise NoAnswer("what answers there is not the driver")
    return value


def _in(seconds: int) -> int:
    return int(time.time()) + seconds
