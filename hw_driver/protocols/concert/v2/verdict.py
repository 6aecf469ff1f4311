"""What a reply of CONCERT V2 means for the money. The rule for "paid" is here and nowhere else."""

from __future__ import annotations

from typing import Any

from ...machine import Outcome
from ...scrub import last_four, scrub
from ...states import Kind, State
from .messages import Fields
from .options import Options
from .tables import CHEQUE, MEANS, OPERATIONS, STATUSES, VIRTUAL

#: Why a result is not known: the word for programs, and for people what happened.
DOUBTS: dict[str, str] = {
    "no_answer": "The terminal did not answer in time.",
    "link_lost": "The line to the terminal was lost before it answered.",
    "reply_malformed": "The terminal's answer cannot be read.",
    "reply_mismatch": "The terminal's answer belongs to another request.",
    "amount_above": "The terminal says more than was asked for.",
    "amount_below": "The terminal says less than was asked for.",
    "amount_zero": "The terminal says it took nothing, and that it succeeded.",
    "not_a_result": "The terminal took the request and told no result.",
    "driver_restarted": "The driver was restarted while the terminal was at work.",
}
#: No machine can ask a V2 terminal what became of a payment (concert.md 1.9), so a person is told where to look.
LOOK = (
    "Do not take the card again: look at the slip the terminal printed, or have it print the last one again "
    "(DUPLICATA in its menu)."
)


def judge(asked: Fields, reply: Fields) -> Outcome:
    """Return the outcome of a well-formed reply to the parts of a request: only status 0 is paid (1.7)."""
    state, code, text = STATUSES.get(reply["status"], (State.UNKNOWN, "not_a_result", ""))
    if state is State.UNKNOWN:
        return doubt(code, reply)
    if state is not State.APPROVED:
        return Outcome(state, code, text, **evidence(reply))
    if reply["currency"] != asked["currency"]:
        return doubt("reply_mismatch", reply)
    done, wanted = int(reply["amount"]), int(asked["amount"])
    if not 0 < done <= wanted:
        return doubt("amount_above" if done else "amount_zero", reply)
    if done < wanted and asked["operation"] == OPERATIONS[Kind.REVERSAL]:
        return doubt("amount_below", reply)  # a payment is taken back as a whole, or nobody knows how
    if done < wanted:
        code, text = "partial", "Approved in part: the rest is still due."
    return Outcome(state, code, text, amount_approved=done, **evidence(reply))


def doubt(code: str, reply: Fields | None = None) -> Outcome:
    """Return the outcome of a dialog without a trustworthy answer after the request may have left."""
    return Outcome(State.UNKNOWN, code, f"{DOUBTS[code]} {LOOK}", **evidence(reply or {}))


def is_for(asked: Fields, reply: Fields, options: Options) -> bool:
    """Whether a reply can be to this request: same till, and same private data where the terminal returns them."""
    private = not options.private_echoed or reply["private"] == asked["private"]
    return private and int(reply["register"]) == int(asked["register"])


def evidence(reply: Fields) -> dict[str, Any]:
    """Return what is kept of a reply whatever its result: members of `Outcome`."""
    if not reply:
        return {}
    brand = MEANS.get(reply["means"], "")
    card = reply.get("card", "").split(" ")[0]
    kept = {
        "brand": brand,
        "application": brand,
        "last4": last_four(card) if reply["means"] != CHEQUE else "",
        "receipt": scrub(reply.get("ticket", "")),
        "virtual": VIRTUAL in (*reply.get("card", "").split(), reply["private"].strip()),
        "details": {
            "status": reply["status"],
            "means": reply["means"],
            "private": scrub(reply["private"]).strip(),
            **({"cheque_line": scrub(reply["card"]).strip()} if reply["means"] == CHEQUE and "card" in reply else {}),
        },
    }
    return {name: value for name, value in kept.items() if value}
