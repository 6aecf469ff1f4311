"""What tills were told, what terminals charged and what Odoo has, held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .odoo import Odoo
from .tills import Sale

if TYPE_CHECKING:
    from .world import Terminal

#: Words that may follow one another as a till hears them; anything else takes back what was said.
AFTER = {
    "requested": {"sent", "approved", "declined", "cancelled", "failed", "unknown"},
    "sent": {"approved", "declined", "cancelled", "failed", "unknown"},
    "unknown": {"approved", "declined", "cancelled", "failed", "settled_by_hand"},
}
#: What must be nought.
BROKEN = ("lost", "doubled", "approved, not charged", "asked twice", "other amount", "taken back", "not told to Odoo")


def judge(sales: Iterable[Sale], terminals: Iterable[Terminal], odoo: Odoo) -> tuple[Counter[str], list[str]]:
    """Return the counts, and a sentence for each sale or event that breaks a law."""
    counts: Counter[str] = Counter(dict.fromkeys(BROKEN, 0))
    wrong: list[str] = []
    entries: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for terminal in terminals:
        for entry in terminal.ledger():
            entries.setdefault((entry["kind"], entry["asked"]), []).append(entry)
    for sale in sales:
        booked = odoo.transactions.get(sale.uuid)
        mine = entries.pop((sale.kind, sale.amount), [])
        charged = [entry for entry in mine if entry["outcome"] == "approved"]
        state = booked.state if booked else ""
        counts["pressed"] += 1
        counts["charged"] += len(charged)
        counts[f"{state or 'never begun'} in Odoo"] += 1
        broken = {
            "lost": charged and state not in ("approved", "unknown"),
            "doubled": len(charged) > 1 or (booked and booked.approvals > 1),
            "approved, not charged": state == "approved" and not charged,
            "asked twice": len(mine) > 1,
            "other amount": state == "approved" and booked.amount != sum(entry["amount"] for entry in charged),
            "taken back": any(b not in AFTER.get(a, ()) for a, b in zip(sale.told, sale.told[1:], strict=False)),
            "not told to Odoo": sale.told and not sale.refused and state != sale.last_told,
        }
        for name, is_broken in broken.items():
            if is_broken:
                counts[name] += 1
                wrong.append(f"{name}: {sale}, ledger {mine}, Odoo {booked}")
    for key, strangers in entries.items():
        counts["lost"] += 1
        wrong.append(f"lost: nobody pressed {key}, ledger {strangers}")
    for fault, number in odoo.faults.items():
        wrong.append(f"Odoo refused, {number} times: {fault}")
    if len(odoo.journals) != 1:
        wrong.append(f"{len(odoo.journals)} journals: an identity was lost")
    counts["events in Odoo"] = odoo.events
    return counts, wrong
