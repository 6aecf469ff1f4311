"""The commands that ask a running driver: `terminals`, `pay`, `settle`, `reprint`, `ask`, `status`, `backup`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .client import Client, NoAnswer, NotRunning, Refused
from .clock import iso, parse
from .money import minor_units, readable
from .protocols.machine import SafeError
from .protocols.states import ASKED_KINDS, GRANTED_KINDS, Kind, Money, State
from .state_folder import StateFolder

EXIT_OF_STATE: dict[State, int] = {
    State.APPROVED: 0,
    State.DECLINED: 3,
    State.CANCELLED: 3,
    State.FAILED: 4,
    State.REQUESTED: 5,
    State.SENT: 5,
    State.UNKNOWN: 5,
    State.SETTLED_BY_HAND: 0,
}
UNDER_WAY = (State.REQUESTED, State.SENT)
PRESS = timedelta(seconds=30)  # how long after the press the request may still be sent


class NotToAsk(SafeError):
    """No such question."""


class CannotCopy(SafeError):
    """The copy of the journal cannot be put where it should be."""


def terminals(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """List the terminals."""
    answer = Client(folder).get("/v1/terminals")
    if arguments.json:
        return _print(answer)
    for item in answer["terminals"]:
        holder = item.get("holder")
        state = f"in use by {holder['till']}" if holder else item["link"]["text"] or item["link"]["state"]
        print(f"{item['id']}  {item['name']}  {item['protocol']}  {state}".rstrip())
    return 0


def status(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """Say how the driver stands, or one payment."""
    client = Client(folder)
    if arguments.uuid:
        answer = client.get(f"/v1/transactions/{arguments.uuid}")
        print(json.dumps(answer, ensure_ascii=False) if arguments.json else result_line(answer))
        return EXIT_OF_STATE[State(answer["state"])]
    health = client.get("/v1/health")
    if arguments.json:
        return _print(health)
    print(f"Driver {health['version']} at {client.url}: {health['status']}")
    print(f"Journal {health['journal_id']}, {health['last']} events, in {health['storage'].get('path', '?')}")
    if odoo := health["odoo"]:
        print(f"Odoo at {odoo['url']}: {odoo['error'] or 'connected'}, has events up to {odoo['acked']}")
    return 0 if health["status"] == "ok" else 1


def backup(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """Let the driver copy its journal, and move the copy to where it is wanted."""
    if arguments.file.exists():
        raise CannotCopy(f"{arguments.file} exists; name a new file")
    if not arguments.file.parent.is_dir():
        raise CannotCopy(f"there is no folder {arguments.file.parent}; make it first")
    copy = Client(folder).call("POST", "/v1/backup")["path"]
    try:
        shutil.move(copy, arguments.file)
    except OSError as error:
        raise CannotCopy(f"the copy is at {copy}; it cannot be moved: {error.strerror}") from error
    print(f"Journal copied to {arguments.file}")
    return 0


def pay(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """Start a payment and show what the terminal says until it has ended."""
    amount = minor_units(arguments.amount, arguments.currency)
    client = Client(folder)
    number, order = str(uuid.uuid4()), str(uuid.uuid4())
    body = {
        "terminal": arguments.terminal,
        "kind": arguments.kind,
        "amount": amount,
        "currency": arguments.currency,
        "till": "command line",
        "session": "",
        "order": order,
        "line": str(uuid.uuid4()),
        "operator": "",
        "reference": arguments.reference,
        "not_after": iso(parse(client.get("/v1/health")["now"]) + PRESS),
        **({"original": {"uuid": arguments.original}} if arguments.original else {}),
        **({"means": arguments.means} if arguments.means else {}),
    }
    _say(f"{readable(amount, arguments.currency)} on {arguments.terminal}, payment {number}")
    try:
        answer = client.put(number, body, once=arguments.kind in GRANTED_KINDS)
    except (Refused, NoAnswer) as error:
        if error.money is Money.SAFE:
            raise
        return _not_known(number, error)
    return watch(client, answer, as_json=arguments.json)


def settle(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """Let a terminal send off its payments, and show how that ended."""
    return _errand(folder, arguments, Kind.SETTLEMENT, "settlements")


def reprint(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """Let a terminal print its last slip once more."""
    return _errand(folder, arguments, Kind.REPRINT, "reprint")


def ask(folder: StateFolder, arguments: argparse.Namespace) -> int:
    """Ask something of a terminal itself, of which nothing is kept, and show what it says."""
    if arguments.kind not in ASKED_KINDS:
        raise NotToAsk(f"{arguments.kind!r} is not asked this way; there are {', '.join(sorted(ASKED_KINDS))}")
    client = Client(folder)
    nothing = dict.fromkeys(("currency", "session", "order", "line", "operator"), "")
    body = {
        **nothing,
        "terminal": arguments.terminal,
        "kind": arguments.kind,
        "amount": 0,
        "till": "command line",
        "text": arguments.text or None,
        "not_after": iso(parse(client.get("/v1/health")["now"]) + PRESS),
    }
    return watch(client, client.put(str(uuid.uuid4()), body, once=False), as_json=arguments.json)


def _errand(folder: StateFolder, arguments: argparse.Namespace, kind: Kind, place: str) -> int:
    client = Client(folder)
    number = str(uuid.uuid4())
    body = {
        "uuid": number,
        "till": "command line",
        "session": "",
        "operator": "",
        "not_after": iso(parse(client.get("/v1/health")["now"]) + PRESS),
    }
    answer = client.errand(arguments.terminal, place, kind, body)
    return watch(client, answer, as_json=arguments.json)


def watch(client: Client, answer: dict[str, Any], *, as_json: bool = False) -> int:
    """Follow a started payment to its end, print it, and return its exit status."""
    try:
        answer = follow(client, answer)
    except (NotRunning, Refused, NoAnswer) as error:  # it was started: whatever hides its end, it may be paid
        return _not_known(answer["uuid"], error)
    print(json.dumps(answer, ensure_ascii=False) if as_json else result_line(answer))
    return EXIT_OF_STATE[State(answer["state"])]


def _not_known(number: str, error: Exception) -> int:
    _say(f"{error}. Not known whether it was paid; ask with: card-terminal status {number}")
    return EXIT_OF_STATE[State.UNKNOWN]


def follow(client: Client, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the transaction once it has ended, saying on the way what the terminal shows. Ctrl-C asks it to cancel."""
    path = f"/v1/transactions/{answer['uuid']}"
    said = ""
    asked_to_cancel = False
    while State(answer["state"]) in UNDER_WAY:
        text = (answer.get("progress") or {}).get("text", "")
        if text and text != said:
            _say(text)
            said = text
        try:
            answer = client.get(f"{path}?after={answer['rev']}&wait=25")
        except KeyboardInterrupt:
            if asked_to_cancel:
                return answer
            asked_to_cancel = True
            _say(_cancel(client, path))
    return answer


def result_line(answer: dict[str, Any]) -> str:
    """Return one line that says how a transaction stands."""
    outcome = answer.get("outcome") or {}
    amount = answer["amount"] if answer["amount_approved"] is None else answer["amount_approved"]
    card = " ".join(str(outcome[name]) for name in ("brand", "last4", "auth_code") if outcome.get(name))
    parts = (answer["state"], readable(amount, answer["currency"]) if amount else "", card, answer["text"])
    return ", ".join(part for part in parts if part) + f" ({answer['uuid']})"


def _cancel(client: Client, path: str) -> str:
    try:
        client.call("POST", f"{path}/cancel")
    except Refused as error:
        return f"{error} (Ctrl-C again to stop watching)"
    return "Asked the terminal to cancel."


def _print(answer: dict[str, Any]) -> int:
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


COMMANDS: dict[str, Callable[[StateFolder, argparse.Namespace], int]] = {
    "terminals": terminals,
    "pay": pay,
    "settle": settle,
    "reprint": reprint,
    "ask": ask,
    "status": status,
    "backup": backup,
}
