"""Card numbers and markup planted in everything a terminal can say, and the search for what came through.

Independent of the product, like the terminal. `PLANTED` is a behaviour of `ReplayTerminal`; `found_in` looks for each
number in each form.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from typing import Any

from terminal import BEHAVIOURS, ReplayTerminal, approval, echoed, tlv_build


def with_check_digit(payload: str) -> str:
    """Return the payload with its Luhn digit."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in payload[::-2])
    return payload + str(-(sum(map(int, payload[-2::-2])) + sum(doubled)) % 10)


#: One number for each place, so that what is found says where it came through.
NUMBERS = {
    place: with_check_digit(f"49{index:02d}7713{index:02d}24680")
    for index, place in enumerate(
        (
            "pan", "track", "reason", "private", "reference", "original", "debit", "serial", "unknown_tag", "plain",
            "spaced", "dashed", "split", "narrow", "bcd", "not_base64", "ticket_data", "till", "session", "operator",
            "asked_reference", "path", "member", "garbage", "answer", "authorisation", "text", "line", "identity",
        ),
        11,
    )
}  # fmt: skip
MARKUP = "<img src=x onerror=alert(1)>"
FORMULA = '=cmd|"/c calc"!A0'


def grouped(number: str, by: str) -> str:
    """Return a number as it stands on a card."""
    return by.join(number[start : start + 4] for start in range(0, len(number), 4))


def slip() -> str:
    """Return the text of a slip with a number in every form that paper has."""
    split, narrow = NUMBERS["split"], NUMBERS["narrow"]
    bcd = bytes.fromhex(NUMBERS["bcd"]).decode("latin-1")
    lines = [
        FORMULA,
        MARKUP,
        f"CARTE {NUMBERS['plain']}",
        grouped(NUMBERS["spaced"], " "),
        grouped(NUMBERS["dashed"], "-"),
        f"No {split[:10]}",
        f"{split[10:]} FIN",
        *(narrow[start : start + 4] for start in range(0, 16, 4)),
        f"DATA {bcd} FIN",
    ]
    return "\n".join(lines)


def planted(asked: dict[str, str]) -> bytes:
    """Return an approval with something in every field that may hold text."""
    ticket = base64.b64encode(slip().encode("latin-1")).decode()
    track = f";{NUMBERS['track']}=27122010000012300000?"
    return approval(
        asked,
        AA=NUMBERS["pan"],
        AB="2712",
        CF=f"PAN={NUMBERS['private']} {track}",
        CH=NUMBERS["reference"],
        ID=NUMBERS["original"],
        IM=grouped(NUMBERS["debit"], " "),
        AQ=NUMBERS["serial"],
        XA=f"{MARKUP}{NUMBERS['unknown_tag']}",
        XB=FORMULA,
        AK=ticket,
    )


def declined(asked: dict[str, str]) -> bytes:
    """Return a refusal with a number in its words and slips that are not as they should be."""
    return echoed(
        "v3_ak_rsp_abort",
        asked,
        AF=f"04{grouped(NUMBERS['reason'], ' ')}"[:50],
        AK=f"!{NUMBERS['not_base64']}!{MARKUP}",
        ZT=tlv_build({"XC": f"DONNEES {NUMBERS['ticket_data']}"}),
    ).encode()


def _approve(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    terminal.charge(asked, int(asked["CB"]))
    link.sendall(planted(asked))


def _decline(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    link.sendall(declined(asked))


def _garbage(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    link.sendall(f"%B{NUMBERS['garbage']}^DOE/J^27122010000012300000?\r\n{MARKUP}".encode())


BEHAVIOURS |= {"planted": _approve, "planted_decline": _decline, "planted_garbage": _garbage}


def forms_of(number: str) -> dict[str, bytes]:
    """Return how a number would look if it had come through."""
    forms = {"plain": number.encode(), "bcd": bytes.fromhex(number), "utf-16": number.encode("utf-16-le")}
    forms |= {f"grouped by {by!r}": grouped(number, by).encode() for by in (" ", "-", ".", "\\n", "\u00a0")}
    forms["bcd as text"] = bytes.fromhex(number).decode("latin-1").encode()
    forms["bcd as JSON"] = json.dumps(bytes.fromhex(number).decode("latin-1")).strip('"').encode()
    for shift in range(3):  # wherever in a longer text it stands
        coded = base64.b64encode(b"\0" * shift + number.encode())
        forms[f"base64 at {shift}"] = coded[4 if shift else 0 : -4]
    return forms


def found_in(data: bytes) -> list[tuple[str, str]]:
    """Return (place, form) of each number that stands in `data` in any form, or with white space between its digits."""
    squeezed = re.sub(rb"\\n|\\r|[\s.\-]|\xc2\xa0", b"", data)
    found = []
    for place, number in NUMBERS.items():
        found += [(place, form) for form, needle in forms_of(number).items() if needle in data]
        if number.encode() in squeezed and (place, "plain") not in found:
            found.append((place, "spread"))
    return found


def everything(value: Any) -> bytes:
    """Return the text of a JSON value, both as it is written and as it is read."""
    return json.dumps(value, ensure_ascii=False).encode() + json.dumps(value).encode() + repr(value).encode()
