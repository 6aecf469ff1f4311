"""Data for `dev/bench reconcile`: a shop's months, put into the database by SQL, and what the bank says of them.

Nothing is random: the same size makes the same data, and the truth of every payout is known.
"""

# ruff: noqa: S608 (statements are made of the names of tables and columns)

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

IBAN = "FR7630003012340123456789047"
FIRST_DAY = date(2025, 1, 1)
#: Contracts that pay each day, in full or less the fee, and contracts that pay three days at once.
DAILY, EVERY_THREE = 6, 2
DAYS = 300
RATE = "1.5"
#: One payout in twenty is split, and one is a pair of equal amounts that nothing tells apart.
ONE_IN = 20


@dataclass
class Batch:
    """One end of day. Amounts in cents."""

    number: int
    contract: int
    day: int
    total: int


@dataclass
class Payout:
    """What the bank pays for batches: `credits` are (days later, cents, gross the bank says or None)."""

    contract: int
    batches: list[Batch]
    credits: list[tuple[int, int, int | None]]
    reference: str = ""
    ambiguous: bool = False
    name: str = field(default="")


def plan() -> tuple[list[Batch], list[Payout]]:
    """Return the batches and payouts of the shop, 2,000 payouts in all."""
    batches: list[Batch] = []
    payouts: list[Payout] = []
    for contract in range(DAILY + EVERY_THREE):
        net = contract % 2 == 1
        own = [Batch(len(batches) + day, contract, day, _total(contract, day)) for day in range(DAYS)]
        batches += own
        if contract < DAILY:
            payouts += _daily(contract, own, net)
        else:
            payouts += [
                Payout(
                    contract,
                    own[start : start + 3],
                    [_credit(2, sum(each.total for each in own[start : start + 3]), net, start)],
                )
                for start in range(0, DAYS, 3)
            ]
    for number, payout in enumerate(payouts):
        payout.name = f"P{number}"
    return batches, payouts


def _daily(contract: int, own: list[Batch], net: bool) -> list[Payout]:
    found = []
    day = 0
    while day < DAYS:
        batch = own[day]
        kind = (day * 7 + contract * 3) % (2 * ONE_IN)
        if kind == 0 and day + 1 < DAYS:  # two days alike, paid on one day
            own[day + 1].total = batch.total
            found += [
                Payout(contract, [own[each]], [_credit(day + 2 - each, batch.total, net, 1)], ambiguous=True)
                for each in (day, day + 1)
            ]
            day += 2
            continue
        if kind in (5, 25):
            first = batch.total * 7 // 10
            parts = [_credit(1, first, net, day), _credit(1, batch.total - first, net, day)]
            found.append(Payout(contract, [batch], parts, reference=str(day + 1) if kind == 5 else ""))
        else:
            named = kind % 2 == 0
            found.append(
                Payout(contract, [batch], [_credit(1, batch.total, net, day)], reference=str(day + 1) if named else "")
            )
        day += 1
    return found


def _credit(days: int, gross: int, net: bool, place: int) -> tuple[int, int, int | None]:
    """Return a credit: of a net contract less 1.5 %, which the bank tells of every second one."""
    if not net:
        return days, gross, None
    fee = (gross * 15 + 500) // 1000
    return days, gross - fee, gross if place % 2 else None


def _total(contract: int, day: int) -> int:
    """Return the cents of a batch: one of 61 amounts that come again and again, never within six days."""
    return 100_000 + ((day * 17 + contract * 5) % 61) * 1_973 + contract % 2


def statement(payouts: list[Payout]) -> bytes:
    """Return the bank's camt.053 of all payouts."""
    entries = []
    total = 0
    for payout in payouts:
        for place, (days, cents, gross) in enumerate(payout.credits):
            booked = FIRST_DAY + timedelta(days=payout.batches[-1].day + days)
            told = f"<AmtDtls><TxAmt><Amt Ccy='EUR'>{gross / 100:.2f}</Amt></TxAmt></AmtDtls>" if gross else ""
            label = f"REMISE {7_000_000 + payout.contract} {payout.reference}"
            total += cents
            entries.append(
                (
                    booked,
                    f"""<Ntry><Amt Ccy="EUR">{cents / 100:.2f}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
                <Sts>BOOK</Sts><BookgDt><Dt>{booked}</Dt></BookgDt><AcctSvcrRef>{payout.name}K{place}</AcctSvcrRef>{told}
                <AddtlNtryInf>{label.strip()}</AddtlNtryInf></Ntry>""",
                )
            )
    lines = "".join(text for _booked, text in sorted(entries, key=lambda entry: entry[0]))
    balances = "".join(
        f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{cents / 100:.2f}</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{FIRST_DAY}</Dt></Dt></Bal>"""
        for code, cents in (("OPBD", 0), ("CLBD", total))
    )
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>bench</Id>
        <Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{lines}</Stmt></BkToCstmrStmt></Document>""".encode()


def fill(env: Any, payments: int) -> None:
    """Put the shop's payments into a prepared database: by SQL, made of the patterns there."""
    batches, _payouts = plan()
    pattern = _patterns(env)
    each = payments // len(batches)
    cr = env.cr
    cr.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
    if cr.fetchone()[0]:  # copies of what is right need no check of each reference: half of the time
        cr.execute("SET LOCAL session_replication_role = replica")
    cr.execute(
        "CREATE TEMP TABLE seed (no int, contract int, account int, day date, total bigint, count int) ON COMMIT DROP"
    )
    values = [
        (
            batch.number,
            pattern["contracts"][batch.contract].id,
            pattern["contracts"][batch.contract].outstanding_account_id.id,
            FIRST_DAY + timedelta(days=batch.day),
            batch.total,
            each + (1 if batch.number < payments - each * len(batches) else 0),
        )
        for batch in batches
    ]
    cr.execute(f"INSERT INTO seed VALUES {', '.join(['%s'] * len(values))}", values)
    at = {
        table: _next(cr, table)
        for table in ("pos_session", "pos_order", "card_batch", "account_move", "account_payment")
    }
    _copy(cr, "pos_session", pattern["session"].id, {
        "id": f"{at['pos_session']} + seed.no", "name": "'BENCH/' || seed.no", "state": "'closed'",
        "stop_at": "seed.day",
    })  # fmt: skip
    _copy(cr, "pos_order", pattern["order"].id, {
        "id": f"{at['pos_order']} + seed.no", "session_id": f"{at['pos_session']} + seed.no",
        "name": "'BENCH/' || seed.no", "pos_reference": "'BENCH/' || seed.no", "uuid": "gen_random_uuid()::text",
        "state": "'done'", "access_token": "NULL", "amount_total": "seed.total / 100.0",
        "amount_paid": "seed.total / 100.0",
    })  # fmt: skip
    cr.execute(
        f"""
        INSERT INTO card_batch (id, name, number, contract_id, company_id, currency_id, state, opened_at, closed_at,
                                day, closed_by, is_declared, odoo_count, odoo_amount, opening_amount, amount_due,
                                difference)
        SELECT {at["card_batch"]} + seed.no, 'BENCH/' || seed.no, (seed.day - %s + 1)::text, seed.contract, %s, %s,
               'closed', seed.day, seed.day + interval '20 hours', seed.day, 'terminal', false, seed.count,
               seed.total / 100.0, 0, seed.total / 100.0, 0
          FROM seed
        """,
        [FIRST_DAY, env.company.id, env.company.currency_id.id],
    )
    _copy(cr, "pos_payment", pattern["payment"].id, {
        "id": "nextval('pos_payment_id_seq')", "pos_order_id": f"{at['pos_order']} + seed.no",
        "session_id": f"{at['pos_session']} + seed.no", "card_batch_id": f"{at['card_batch']} + seed.no",
        "card_contract_id": "seed.contract", "uuid": "gen_random_uuid()::text", "payment_date": "seed.day",
        "amount": """(CASE WHEN part < seed.count THEN seed.total / seed.count
                          ELSE seed.total - (seed.total / seed.count) * (seed.count - 1) END) / 100.0""",
    }, "seed CROSS JOIN LATERAL generate_series(1, seed.count) AS part")  # fmt: skip
    _copy(cr, "account_move", pattern["booked"].move_id.id, {
        "id": f"{at['account_move']} + seed.no", "name": "'BENCH/' || seed.no", "sequence_number": "seed.no",
        "origin_payment_id": "NULL", "date": "seed.day",
    })  # fmt: skip
    _copy(cr, "account_payment", pattern["booked"].id, {
        "id": f"{at['account_payment']} + seed.no", "move_id": f"{at['account_move']} + seed.no",
        "amount": "seed.total / 100.0", "pos_session_id": f"{at['pos_session']} + seed.no",
        "card_contract_id": "seed.contract", "outstanding_account_id": "seed.account", "name": "'BENCH/' || seed.no",
        "date": "seed.day",
    })  # fmt: skip
    cr.execute(
        f"""
        UPDATE account_move SET origin_payment_id = {at["account_payment"]} + seed.no FROM seed
         WHERE account_move.id = {at["account_move"]} + seed.no
        """
    )
    for line in pattern["booked"].move_id.line_ids:
        waits = line.account_id == pattern["booked"].outstanding_account_id
        amount = "seed.total / 100.0" if waits else "-seed.total / 100.0"
        rest = amount if waits else "0"
        _copy(cr, "account_move_line", line.id, {
            "id": "nextval('account_move_line_id_seq')", "move_id": f"{at['account_move']} + seed.no",
            "payment_id": f"{at['account_payment']} + seed.no", "date": "seed.day", "balance": amount,
            "amount_currency": amount, "debit": amount if waits else "0", "credit": "0" if waits else f"-({amount})",
            "account_id": "seed.account" if waits else str(line.account_id.id), "amount_residual": rest,
            "amount_residual_currency": rest, "reconciled": "false" if waits else "true",
            "move_name": "'BENCH/' || seed.no", "full_reconcile_id": "NULL", "matching_number": "NULL",
        })  # fmt: skip
    for table in at:
        cr.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
    cr.commit()


def _patterns(env: Any) -> dict[str, Any]:
    """Return what `prepare` made."""
    models = {"session": "pos.session", "order": "pos.order", "payment": "pos.payment", "booked": "account.payment"}
    return {
        "contracts": env["card.contract"].search([], order="id"),
        **{name: env[model].search([], order="id", limit=1) for name, model in models.items()},
    }


def prepare(env: Any) -> None:
    """Make the contracts, and one of each other thing by Odoo; the mass is copied from them."""
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("fr", company)
    journal = env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
    journal.bank_acc_number = IBAN
    account = env["account.account"]
    fees = account.create({"name": "Fees", "code": "627899", "account_type": "expense"})
    company.card_suspense_account_id = account.create(
        {"name": "Card suspense", "code": "471899", "account_type": "liability_current", "reconcile": True}
    )
    contracts = [
        env["card.contract"].create({
            "name": f"Contract {number}", "number": str(7_000_000 + number), "bank_journal_id": journal.id,
            "settlement": "net" if number % 2 else "gross", "fee_rate": float(RATE) if number % 2 else 0,
            "fee_account_id": fees.id, "days_max": 2, "tolerance": 0.02 if number % 2 else 0,
            "outstanding_account_id": account.create({
                "name": f"Cards {number}", "code": f"5119{number:02}", "account_type": "asset_current",
                "reconcile": True,
            }).id,
        })
        for number in range(DAILY + EVERY_THREE)
    ]  # fmt: skip
    method = env["pos.payment.method"].create({
        "name": "Card", "journal_id": journal.id, "payment_method_type": "terminal",
        "use_payment_terminal": "card_terminal", "outstanding_account_id": contracts[0].outstanding_account_id.id,
    })  # fmt: skip
    config = env["pos.config"].create({"name": "Bench", "payment_method_ids": [(6, 0, method.ids)]})
    config.with_user(env.ref("base.user_admin")).open_ui()  # Odoo lets nobody open one who is no person
    session = config.current_session_id
    order = env["pos.order"].create({
        "session_id": session.id, "amount_tax": 0, "amount_total": 0, "amount_paid": 0, "amount_return": 0,
    })  # fmt: skip
    env["pos.payment"].create({"pos_order_id": order.id, "amount": 0, "payment_method_id": method.id})
    receivable = company.account_default_pos_receivable_account_id
    session._book_card_money(method, contracts[0], 10.0, receivable, "Bench")
    env.flush_all()


def _next(cr: Any, table: str) -> int:
    cr.execute(f"SELECT COALESCE(max(id), 0) + 1 FROM {table}")
    return int(cr.fetchone()[0])


def _copy(cr: Any, table: str, pattern: int, other: dict[str, str], source: str = "seed") -> None:
    """Copy one row for each row of the seed; `other` says what differs, as SQL."""
    cr.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'", [table]
    )
    columns = [name for (name,) in cr.fetchall()]
    there = {name: sql for name, sql in other.items() if name in columns}
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(there.get(name, f'pattern."{name}"') for name in columns)
    cr.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {source} JOIN {table} pattern ON pattern.id = {pattern}"
    )
