"""A card sale on a real Odoo, from the cashier's click to the accountant's entry.

Starts Odoo with a demo shop in France or Germany, the driver and a virtual terminal, plays one sale, says what came of
it, and stays open for you until Ctrl-C. Everything listens on 127.0.0.1 only and no money moves. The first start
fetches what is missing into a cache folder (CARD_TERMINAL_CACHE, about 3 GB).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kit.setup import Workplace


def main(arguments: Sequence[str]) -> int:
    """Run the demo; 0 when everything that was found agrees."""
    options = _parser().parse_args(arguments)
    workplace = Workplace()
    workplace.ensure("odoo", "chromium")
    workplace.enter("odoo")
    from demokit.performance import perform

    return perform(workplace, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev/demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    once = "close the register, print the entries, and exit: 0 only if order, payment, events, entries and ledger agree"
    parser.add_argument("--once", action="store_true", help=once)
    month = "four weeks of card money behind it: batches, bank lines, payouts, fees (takes a minute)"
    parser.add_argument("--month", action="store_true", help=month)
    protocol = "the virtual terminal's protocol (default: %(default)s)"
    parser.add_argument("--terminal", default="concert-v3", metavar="PROTOCOL", help=protocol)
    parser.add_argument("--country", default="fr", choices=("fr", "de"), help="the shop's (default: %(default)s)")
    parser.add_argument("--chart", default="", metavar="NAME", help="the accounts: in Germany skr03 (default) or skr04")
    parser.add_argument("--shots", type=Path, metavar="DIR", help="where to put the pictures and the export")
    for name, what in (("odoo", "Odoo"), ("driver", "the driver"), ("tpe", "the terminal"), ("face", "its web face")):
        parser.add_argument(f"--{name}-port", type=int, default=0, metavar="N", help=f"{what}'s port (default: any)")
    return parser
