"""Four weeks of card money in a demo shop, so that there is something to look at: run inside Odoo, by `odoo shell`.

Orders, approvals of a driver, ends of day, closings, the bank's lines and most of the matching, each on its day. What
is left to do: payouts of the last days, one of several, one late, one that is short, a batch that differs.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from freezegun import freeze_time

SEED, WEEKS, SALES_A_DAY = 19, 4, 7
BANK = "FR7630004000031234567890143"
BRANDS = {"CB": 9, "VISA": 4, "MASTERCARD": 3, "AMEX": 3, "CONECS": 2}
"""How often each is presented."""
CONTRACTS: dict[str, dict[str, Any]] = {
    "Bank cards": {
        "number": "5091540", "acquirer": "Crédit Demo", "brands": ("CB", "VISA", "MASTERCARD"), "settlement": "gross",
        "fee_rate": 0.7, "days_max": 3, "label_pattern": "REMISE CB",
    },
    "American Express": {
        "number": "9345678901", "acquirer": "American Express", "brands": ("AMEX",), "settlement": "net",
        "fee_rate": 2.4, "tolerance": 0.02, "days_min": 1, "days_max": 5,
    },
    "Meal vouchers": {
        "number": "271828", "acquirer": "Conecs", "brands": ("CONECS",), "settlement": "net", "fee_rate": 4.0,
        "tolerance": 0.05, "days_max": 9,
    },
}  # fmt: skip
PAYS_AFTER = {"Bank cards": 1, "American Express": 3}
"""Days; meal vouchers are paid on Mondays for the week before."""
TWINS = (3, 4)
"""Business days ago that took the same: one credit without a number could pay either."""
LATE, SHORT, DIFFERS = 8, 2, 5
"""Business days ago: an American Express payout that does not come, one that is too small, a ticket that says more."""
POSTED_BEFORE = 5
SUPERUSER = 1


class Journal:
    """A driver that reports what its terminal did."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.driver = env["card.terminal.driver"].create({"name": "Terrace"})
        self.driver.key = "5a" * 32
        self.terminal = env["card.terminal"].create(
            {"name": "Terrace", "driver_id": self.driver.id, "protocol": "concert-v3", "host": "192.0.2.10"}
        )
        self.id = f"j-{uuid.uuid4()}"
        self.last, self.count = self.id, 0
        self.waiting: list[dict[str, Any]] = []
        self.add("journal_created", "")

    def add(self, kind: str, transaction: str, /, **body: Any) -> None:
        """Write down an event, chained to the one before it."""
        self.count += 1
        at = datetime.now().isoformat(timespec="milliseconds") + "Z"  # noqa: DTZ005 - the clock stands still, at UTC
        said = json.dumps(
            [self.count, transaction, kind, at, body], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        digest = hashlib.sha256(self.last.encode() + said.encode()).hexdigest()
        event = {"seq": self.count, "uuid": transaction, "type": kind, "at": at, "body": body}
        self.waiting.append({**event, "prev": self.last, "hash": digest})
        self.last = digest

    def done(self, kind: str, amount: int, order: str = "", line: str = "", session: str = "", **outcome: Any) -> str:
        """Write down a whole transaction that went well; return its number."""
        number = str(uuid.uuid4())
        asked = {"terminal": self.terminal.uuid, "kind": kind, "amount": amount, "currency": "EUR" if amount else ""}
        who = {"till": "Terrace", "session": session, "operator": "Ana", "reference": "", "original": None}
        self.add("requested", number, **asked, **who, order=order, line=line)
        self.add("sent", number)
        self.add("approved", number, state="approved", code="approved", text="Approved", **outcome)
        return number

    def report(self) -> None:
        """Tell Odoo what is new."""
        parameters = self.env["ir.config_parameter"].sudo()
        self.driver.with_user(SUPERUSER)._receive({
            "driver": self.driver.uuid, "database_uuid": parameters.get_param("database.uuid"), "journal_id": self.id,
            "version": "1.0.0", "api": 1, "now": datetime.now().isoformat() + "Z",  # noqa: DTZ005
            "url": "http://192.0.2.20:8765", "last": self.count, "configuration": 0, "events": self.waiting,
        })  # fmt: skip
        self.waiting = []


class Month:
    """The shop's second till, over business days that end today."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.chance = random.Random(SEED)
        self.journal = Journal(env)
        self.method = env["pos.payment.method"].search([("use_payment_terminal", "=", "card_terminal")], limit=1)
        self.bank = env["account.journal"].search([("type", "=", "bank")], limit=1)
        self.bank.bank_acc_number = BANK
        self.products = env["product.product"].search([("available_in_pos", "=", True), ("list_price", ">", 3)])
        self.config = self._till()
        self.contracts = {name: self._contract(name, **wishes) for name, wishes in CONTRACTS.items()}
        self.lines: list[tuple[date, str, float]] = []
        self.week = 0.0

    def _till(self) -> Any:
        shop = self.env["pos.config"].search([], limit=1)
        cash = self.env["account.journal"].create({"name": "Cash Terrace", "type": "cash", "code": "CSHT"})
        drawer = self.env["pos.payment.method"].create({"name": "Cash", "journal_id": cash.id})
        return shop.copy({
            "name": "Terrace", "payment_method_ids": [(6, 0, [drawer.id, self.method.id])],
            "card_terminal_id": self.journal.terminal.id, "card_terminal_spare_ids": [(5,)],
        })  # fmt: skip

    def _contract(self, name: str, brands: tuple[str, ...], settlement: str, number: str, **values: Any) -> Any:
        known = self.env["card.brand"]
        found = [
            known.search([("name", "=ilike", brand)], limit=1) or known.create({"name": brand}) for brand in brands
        ]
        wizard = self.env["card.accounts"].create({
            "name": name, "number": number, "brand_ids": [(6, 0, [brand.id for brand in found])],
            "bank_journal_id": self.bank.id, "settlement": settlement,
        })  # fmt: skip
        wizard.action_confirm()
        wizard.contract_id.write(values)
        return wizard.contract_id

    # One day ----------------------------------------------------------------------------------------------------------

    def day(self, today: date, back: int) -> None:
        """Trade for a day that is so many business days ago."""
        chance = random.Random(SEED) if back in TWINS else self.chance
        with freeze_time(datetime.combine(today, time(10))) as clock:
            self.config.open_ui()
            session = self.config.current_session_id
            session.set_opening_control(0, "")
            taken: Counter[str] = Counter()
            count: Counter[str] = Counter()
            for _sale in range(SALES_A_DAY + chance.randrange(4)):
                clock.tick(timedelta(minutes=chance.randrange(15, 45)))
                brand = chance.choices([*BRANDS], [*BRANDS.values()])[0]
                taken[brand] += self._sell(session, chance.sample(range(len(self.products)), 3), brand)
                count[brand] += 1
            if back:
                clock.move_to(datetime.combine(today, time(19)))
                self._end(taken, count, extra=1850 if back == DIFFERS else 0, number=f"{300 - back:03}")
            session.post_closing_cash_details(0)
            session.close_session_from_ui()
            self.env.flush_all()
        self._bank_pays(today, back, taken)
        self.env.cr.commit()

    def _sell(self, session: Any, chosen: list[int], brand: str) -> int:
        """Sell these products by card; return the cents."""
        products = [self.products[place] for place in chosen]
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        total: float = round(sum(product.lst_price for product in products), 2)
        record = self.env["pos.order"].create({
            "session_id": session.id, "company_id": session.company_id.id, "uuid": order,
            "amount_tax": 0, "amount_total": total, "amount_paid": 0, "amount_return": 0,
            "lines": [
                (0, 0, {
                    "product_id": product.id, "qty": 1, "price_unit": product.lst_price, "tax_ids": False,
                    "price_subtotal": product.lst_price, "price_subtotal_incl": product.lst_price, "name": product.name,
                })
                for product in products
            ],
        })  # fmt: skip
        cents: int = round(total * 100)
        number = self.journal.done(
            "sale", cents, order, line, session.name, amount_approved=cents, brand=brand, application=brand,
            entry_mode="contactless",
            last4=f"{self.chance.randrange(10_000):04}", auth_code=f"{self.chance.randrange(10**6):06}", contract="",
        )  # fmt: skip
        record.add_payment({
            "pos_order_id": record.id, "amount": total, "payment_method_id": self.method.id, "uuid": line,
            "payment_status": "done", "card_transaction_uuid": number, "card_state": "approved",
            "card_terminal_id": self.journal.terminal.id, "card_driver_ref": self.journal.driver.uuid,
            "card_journal_ref": self.journal.id, "name": datetime.now(),  # noqa: DTZ005
        })  # fmt: skip
        record.action_pos_order_paid()
        self.journal.report()
        return cents

    def _end(self, taken: Counter[str], count: Counter[str], extra: int, number: str) -> None:
        """The terminal's end of day, with its totals."""
        totals: list[dict[str, Any]] = [
            {"brand": brand, "count": count[brand], "amount": taken[brand]} for brand in sorted(taken)
        ]
        totals[0]["amount"] += extra
        totals[0]["count"] += bool(extra)
        self.journal.done("settlement", 0, terminal_ref=number, totals=totals)
        self.journal.report()

    # The bank ---------------------------------------------------------------------------------------------------------

    def _bank_pays(self, today: date, back: int, taken: Counter[str]) -> None:
        for name, days in PAYS_AFTER.items():
            cents = sum(taken[brand] for brand in CONTRACTS[name]["brands"])
            if not cents or not back or (name, back) in (("American Express", LATE), ("Bank cards", TWINS[0])):
                continue
            label = "REMISE CB 5091540" if name == "Bank cards" else "AMERICAN EXPRESS 9345678901"
            if name == "American Express":
                cents -= round(cents * 0.024)
            elif back == SHORT:
                cents -= 1500
            elif back not in TWINS:
                label += f" {300 - back:03}"
            self.lines.append((today + timedelta(days=days), label, cents / 100))
        self.week += taken["CONECS"]
        if today.weekday() == 4 and self.week:
            self.lines.append((today + timedelta(days=3), "CONECS 271828 PAIEMENT", round(self.week * 0.96) / 100))
            self.week = 0

    def settle(self, today: date) -> None:
        """Enter the bank's lines, match, and post all but the last days."""
        last = today - timedelta(days=POSTED_BEFORE)
        self.lines.append((today - timedelta(days=18), "COMMISSIONS CB 5091540", -19.32))
        self.lines.append((today - timedelta(days=2), "IMPAYE CB 5091540 000217", -12.40))
        self.env["account.bank.statement.line"].create([
            {"journal_id": self.bank.id, "date": day, "payment_ref": label, "amount": amount}
            for day, label, amount in sorted(self.lines)
            if day <= today
        ])  # fmt: skip
        self.env["card.match"].action_find()
        found = self.env["card.match"].search([("state", "=", "proposed")])
        sure = found.filtered(lambda match: match.date < last)
        sure.action_accept()
        sure.action_post()


def trade(env: Any) -> None:
    """Fill the shop's books."""
    env = env(user=env.ref("base.user_admin"))
    env.user.group_ids += env.ref("pos_card_terminal.group_card_settlement")
    month, today = Month(env), date.today()  # noqa: DTZ011 - the shop is on this machine
    days = [today - timedelta(days=back) for back in range(WEEKS * 7)]
    business = [day for day in days if day.weekday() < 5]
    for back, day in reversed([*enumerate(business)]):
        month.day(day, back)
    month.settle(today)
    env.cr.commit()
