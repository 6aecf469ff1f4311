"""The people whose rights are tested, and records for them to try."""

import uuid

from odoo.tests import new_test_user

from .common import CardTerminalCase

GROUPS = {
    "nobody": "base.group_user",
    "accountant": "base.group_user,account.group_account_user",
    "manager": "base.group_user,point_of_sale.group_pos_manager",
    "stranger": "base.group_user,point_of_sale.group_pos_manager",
}
PEOPLE = ("nobody", "cashier", "accountant", "manager", "stranger")


class PeopleCase(CardTerminalCase):
    """`people`: an employee, a cashier, an accountant, an administrator, and an administrator of another company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other"})
        cls.people = {"cashier": cls.cashier}
        cls.cashier.group_ids += cls.env.ref("base.group_allow_export")
        for name, groups in GROUPS.items():
            company = cls.other_company if name == "stranger" else cls.company
            cls.people[name] = new_test_user(
                cls.env,
                f"card_{name}",
                f"{groups},base.group_allow_export",
                company_id=company.id,
                company_ids=[(6, 0, company.ids)],
            )

    def setUp(self):
        super().setUp()
        self.open()
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        self.sale = self.sell(order, line)
        self.order = self.paid_order(order, line, self.sale.uuid)
        self.unknown = self.end(str(uuid.uuid4()), str(uuid.uuid4()), "unknown")
        self.other_driver = self.env["card.terminal.driver"].create({"name": "Till 2", "company_id": self.company.id})
        self.loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))

    def records(self):
        """Return one record of each kind that people may try their rights on, by model."""
        answer = self.env["card.terminal.answer"].sudo().create({"transaction_id": self.sale.id, "answer": "paid"})
        notice = self.env["card.notice"]._raise_notice("test", self.terminal, "Look at it")
        contract = self.env["card.contract"].create(
            {"name": "CB", "company_id": self.company.id, "outstanding_account_id": self.outstanding_bank.id}
        )
        batch = (
            self.env["card.batch"]
            .sudo()
            .create({"contract_id": contract.id, "currency_id": self.company.currency_id.id})
        )
        fee = self.env["card.fee"].create(
            {"contract_id": contract.id, "date_from": "2026-03-01", "date_to": "2026-03-31", "amount": 1}
        )
        chargeback = self.env["card.chargeback"].create(
            {"contract_id": contract.id, "reference": "CB 1", "amount": 1, "date": "2026-03-01"}
        )
        numbers = self.env["card.datev.account"]
        number = numbers.search([("account_id", "=", self.outstanding_bank.id)]) or numbers.create(
            {"account_id": self.outstanding_bank.id, "number": "1361", "company_id": self.company.id}
        )
        payout, told, mapping = self.payout(contract, batch)
        waiting = self.env["account.move"].create({
            "move_type": "entry",
            "journal_id": self.company_data["default_journal_misc"].id,
            "line_ids": [
                (0, 0, {"account_id": self.outstanding_bank.id, "balance": 1}),
                (0, 0, {"account_id": self.sales_account.id, "balance": -1}),
            ],
        })  # fmt: skip
        waiting.action_post()
        self.env.flush_all()
        mine = self.env(context={"allowed_company_ids": self.company.ids})
        exception = self.env["card.exception"].search([("transaction_id", "=", self.unknown.id)])
        settlement = self.env["card.terminal.settlement"].create(
            {"terminal_id": self.terminal.id, "line_ids": [(0, 0, {"brand": "CB", "count": 1, "amount": 10})]}
        )
        found = [
            settlement, settlement.line_ids,
            payout, payout.line_ids, payout.batch_ids, told, mapping,
            number, mine["card.open.item"].search([("move_id", "=", waiting.id)]),
            mine["card.dashboard"].search([("contract_id", "=", contract.id)]),
            exception,
            self.driver, self.terminal, self.terminal.option_ids[:1],
            self.loose, self.sale.event_ids[:1], answer, notice, self.order, contract, batch, fee, chargeback,
            self.order.payment_ids, self.pos_session, self.config, self.card_pm, self.cashier, self.company,
        ]  # fmt: skip
        return {record._name: record for record in found}

    def payout(self, contract, batch):
        """Return a payout, what a bank told of a line, and how a bank's CSV is read."""
        journal, currency = self.company_data["default_journal_bank"], self.company.currency_id
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": journal.id, "amount": 1, "payment_ref": "CB", "date": "2026-03-01"}
        )
        payout = self.env["card.match"].sudo().create({
            "contract_id": contract.id, "journal_id": journal.id, "company_id": self.company.id, "found_by": "manual",
            "currency_id": currency.id, "date": "2026-03-01", "amount": 1, "gross": 1,
            "line_ids": [(0, 0, {"statement_line_id": line.id})],
            "batch_ids": [(0, 0, {"batch_id": batch.id, "amount": 1})],
        })  # fmt: skip
        told = self.env["card.bank.evidence"].sudo()
        told = told.search([("journal_id", "=", journal.id)]) or told.create(
            {"journal_id": journal.id, "currency_id": currency.id, "reference": "R1", "key": "1"}
        )
        mapping = self.env["card.csv.mapping"].create(
            {"contract_id": contract.id, "column_booked": "Date", "column_amount": "Amount"}
        )
        return payout, told, mapping
