"""What a CONCERT terminal can do, as its options say: what it lacks is hidden at the till and refused by the driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..info import Able
from ..states import Kind

#: Kinds that not every terminal has, by the option that says so.
OPTION_OF_KIND: dict[Kind, str] = {
    Kind.REFUND: "refund",
    Kind.REVERSAL: "reversal",
    Kind.PREAUTH: "preauth",
    Kind.SETTLEMENT: "settlement",
    Kind.REPRINT: "duplicata",
}
E_RECEIPTS_SINCE = "0320"


def v3(options: Mapping[str, Any]) -> Able:
    """Return what a terminal of V3 can do; e-receipts came with 3.20 (HP PX)."""
    kinds = {Kind.SALE, Kind.IDENTIFY} | _with(options)
    return Able(frozenset(kinds), _means(options), e_receipts=options["version"] >= E_RECEIPTS_SINCE)


def v2(options: Mapping[str, Any]) -> Able:
    """Return what a terminal of V2 can do."""
    return Able(frozenset({Kind.SALE} | _with(options)), _means(options))


def _with(options: Mapping[str, Any]) -> set[Kind]:
    return {kind for kind, name in OPTION_OF_KIND.items() if options.get(name)}


def _means(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(options["accepts"].split()))
