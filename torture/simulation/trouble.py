"""How often what goes wrong. Shares of sales, unless said otherwise; weights within a kind."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TypeVar

from .wire import Trouble

T = TypeVar("T")

#: A connection of a sale is struck.
CONNECTION = 0.05
#: The virtual terminal is told to do something wrong.
TERMINAL = 0.08
#: A write to a cable is struck by noise, mostly and in a bad minute, which is one of so many. There are a dozen writes
#: in a sale.
NOISE, NOISE_IN_A_BAD_MINUTE = 0.004, 0.1
MINUTE, BAD_MINUTES = 60.0, 15
#: Something happens to a whole part while a sale runs (WHOLE_PARTS).
PART = 0.05
#: Undetectable corruption: TCP has checksums, so this is rare, and counted apart.
DIGIT = 0.001
#: A shop in which somebody puts an old copy of the journal back.
RESTORED = 0.03

#: Seconds between two words to Odoo. Most shops are slow, so that much is under way when a part dies.
ODOO_LAGS: dict[float, int] = {0.0: 1, 120.0: 8, 480.0: 8}

CONNECTIONS: dict[str, int] = {
    "connect_refused": 3,
    "connect_unreachable": 2,
    "connect_timeout": 2,
    "junk_at_once": 1,
    "half_open": 2,
    "answer_swallowed": 3,
    "request_cut": 3,
    "request_corrupted": 2,
    "answer_cut": 4,
    "answer_corrupted": 3,
    "answer_garbage": 2,
    "late_answer": 4,
    "reset": 5,
}

WHOLE_PARTS: dict[str, int] = {
    "driver_killed": 4,
    "driver_killed_at_boundary": 12,
    "driver_stopped": 2,
    "terminal_power_cut": 3,
    "terminal_unplugged": 3,
    "disk_full": 3,
    "odoo_down": 3,
    "odoo_loses_answers": 3,
    "typed_on_terminal": 8,
}

#: One amount is asked again and again: an answer about the sale before looks like one about this.
USUAL_AMOUNT = 1250

BOUNDARIES = ("before commit", "after commit", "before write", "after write")

#: What a cardholder does; `nobody` lets the terminal's own time run out.
CARDHOLDERS: dict[str, int] = {
    "contactless": 50,
    "cb": 25,
    "amex": 4,
    "voucher": 4,
    "decline": 6,
    "red": 5,
    "nobody": 2,
}

#: What somebody at a till does while a payment runs, and after it has ended. Shares of sales.
WHILE_IT_RUNS: dict[str, float] = {
    "same_again": 0.05,
    "other_body": 0.02,
    "new_on_line": 0.05,
    "other_till": 0.03,
    "cancel": 0.03,
    "reload": 0.05,
}
AFTER_IT_ENDED: dict[str, float] = {"same_again": 0.03, "new_on_line": 0.06, "other_body": 0.01}


def one_of(chance: random.Random, weights: Mapping[T, float]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


def of_connection(chance: random.Random) -> Trouble | None:
    """Draw what befalls the next connection, if anything."""
    if (luck := chance.random()) < DIGIT:
        return Trouble(chance.choice(("digit_changed", "digit_changed_in_request")))
    if luck > CONNECTION:
        return None
    name = one_of(chance, CONNECTIONS)
    seconds = chance.choice((0.05, 1.0, 5.0, 30.0, 200.0)) * chance.random()
    return Trouble(name, byte=chance.randrange(0, 60), seconds=seconds)
