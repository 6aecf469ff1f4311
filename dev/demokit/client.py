"""Odoo seen from outside, as its own web client sees it: JSON-RPC and downloads with a session cookie."""

from __future__ import annotations

import http.cookiejar
import json
import urllib.error
import urllib.request
from typing import Any

Record = dict[str, Any]
TIMEOUT = 120
TRIES = 4


class OdooError(Exception):
    """Odoo refused a call; `name` is the exception's class there, the text its message to the user."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class OdooClient:
    """One user's session.

    >>> client = OdooClient("http://127.0.0.1:8069", "shop", "admin", "admin")
    >>> client.read("pos.order", [("state", "=", "paid")], ["name", "amount_total"])
    """

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        self.url = url
        self.database = database
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        session = self._json("/web/session/authenticate", {"db": database, "login": login, "password": password})
        self.uid: int = session["uid"]

    @property
    def cookie(self) -> str:
        """The session, as a Cookie header names it."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def call(self, model: str, method: str, *arguments: Any, **keywords: Any) -> Any:
        """Call a public method; the first argument of a record's method is its ids.

        A call that lost against others writing the same rows is made again, as PostgreSQL asks: it has changed nothing.
        """
        path = f"/web/dataset/call_kw/{model}/{method}"
        parameters = {"model": model, "method": method, "args": arguments, "kwargs": keywords}
        for tries_left in reversed(range(TRIES)):
            try:
                return self._json(path, parameters)
            except OdooError as error:
                if not tries_left or not error.name.endswith("SerializationFailure"):
                    raise
        raise AssertionError

    def read(self, model: str, domain: list[Any], fields: list[str], order: str = "id") -> list[Record]:
        """Return the fields of the records found."""
        records: list[Record] = self.call(model, "search_read", domain, fields, order=order)
        return records

    def one(self, model: str, domain: list[Any], fields: list[str]) -> Record:
        """Return the one record found; it is an error to find none or several."""
        records = self.read(model, domain, fields)
        if len(records) != 1:
            raise LookupError(f"{len(records)} records of {model} where {domain}")
        return records[0]

    def id_of(self, model: str, domain: list[Any]) -> int:
        """Return the id of the one record found."""
        return int(self.one(model, domain, ["id"])["id"])

    def create(self, model: str, values: Record) -> int:
        """Make a record."""
        return int(self.call(model, "create", [values])[0])

    def write(self, model: str, ids: list[int], values: Record) -> None:
        """Change records."""
        self.call(model, "write", ids, values)

    def download(self, path: str) -> bytes:
        """Return what a GET of this path answers."""
        with self._opener.open(f"{self.url}{path}", timeout=TIMEOUT) as answer:
            content: bytes = answer.read()
        return content

    def _json(self, path: str, parameters: Record) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            json.dumps({"jsonrpc": "2.0", "method": "call", "params": parameters}).encode(),
            {"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            content = json.load(answer)
        if error := content.get("error"):
            data = error.get("data", {})
            raise OdooError(data.get("name", ""), data.get("message") or error.get("message", ""))
        return content.get("result")
