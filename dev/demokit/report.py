"""The demo's words: what came of the sale, for a person at a terminal."""

from __future__ import annotations

from demokit.evidence import Evidence


def story(evidence: Evidence) -> str:
    """The order, its payment and the driver's events."""
    order, payment, transaction = evidence.order, evidence.payment, evidence.transaction
    terminal = evidence.terminal
    lines = [
        "",
        f"Order     {order['name']}  {order['pos_reference']}  {order['state']}  {order['amount_total']:.2f} EUR",
        f"Payment   {payment['payment_method_id'][1]}  {payment['amount']:.2f} EUR",
        f"          {payment['card_brand']}  **** {payment['card_no']}",
        f"          authorisation {payment['payment_method_authcode'] or 'not told'}",
        f"          evidence {payment['card_evidence']}",
        f"Terminal  {terminal['name']}  {terminal['protocol']}  {terminal['uuid']}",
        f"          contract {transaction['contract'] or 'not told'}"
        + (f"  number {transaction['terminal_ref']}" if transaction["terminal_ref"] else ""),
        "Events    from the driver's journal, as Odoo has them",
        *(f"          {event['seq']:>4}  {event['at']}  {event['type']}" for event in evidence.events),
        "Ledger    what the virtual terminal charged",
        *(
            f"          {entry['number']:>4}  {entry['at']}  {entry['outcome']}  {entry['amount'] / 100:.2f}"
            f" {entry['currency']}  {entry['auth_code']}"
            for entry in evidence.ledger
        ),
    ]
    return "\n".join(lines)


def books(evidence: Evidence) -> str:
    """The journal entries line by line."""
    lines = [f"Entries   of session {evidence.session['name']}, {evidence.session['state']}"]
    move = ""
    for line in evidence.lines:
        if line["move_id"][1] != move:
            move = line["move_id"][1]
            lines.append(f"          {move}")
        debit, credit = (f"{line[side]:.2f}" if line[side] else "" for side in ("debit", "credit"))
        account = f"{evidence.codes[line['account_id'][0]]} {line['account_id'][1]}"
        lines.append(f"            {account:<44.44} {debit:>9} {credit:>9}  {line['name'] or ''}")
    return "\n".join(lines)
