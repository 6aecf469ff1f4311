"""Payouts that are lower by chargebacks, and payouts in another currency than the company's."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_currency import OtherCurrencyCase
from .test_case_books import FrenchCase
from .test_match import Payouts

AMEX = "AMEX EUROPE 9345678901"


@tagged("post_install", "-at_install")
class TestKept(Payouts, FrenchCase):
    def taken_back(self, amount, contract, day=16):
        """Book a chargeback that the acquirer keeps from a payout to come."""
        chargeback = self.env["card.chargeback"].create({
            "reference": f"Dispute {amount:.2f}", "contract_id": contract.id, "amount": amount,
            "date": f"2026-11-{day}",
        })  # fmt: skip
        chargeback.action_receive()
        return chargeback

    def test_case_7_kept_from_the_next_payout(self):
        self.batch_at(16, 500.0)
        self.close()
        chargeback = self.taken_back(45.0, self.cb)
        self.assertEqual(self.movement("511500"), (455.0, 455.0))
        self.line(455.0, 17)
        match = self.find()
        self.assertEqual(
            (match.state, match.found_by, match.gross, match.kept, match.over, match.chargeback_ids),
            ("proposed", "kept", 500.0, 45.0, 0.0, chargeback),
        )
        self.assertIn("45.00", match.evidence_text)
        self.post(match)
        self.assertEntry(
            self.entries(match), (self.bank_code, 455, 0), ("511500", 0, 500), ("511500", 45, 0)
        )  # fmt: skip
        self.assertEqual((self.movement("511500"), match.settled), ((0.0, 0.0), True))
        self.assertEqual(self.movement("416000"), (45.0, 45.0), "until the dispute ends")
        match.action_undo()
        self.assertEqual((match.state, self.movement("511500")), ("accepted", (455.0, 455.0)))

    def test_less_the_fee_of_all_and_two_chargebacks_of_three_days(self):
        self.amex.write({"fee_rate": 2.5, "tolerance": 0.01, "days_max": 5})
        for day, amount in ((10, 100.0), (11, 200.0), (12, 340.0)):
            self.batch_at(day, amount, "AMEX", number=f"{day}0")
        self.close()
        kept = self.taken_back(20.0, self.amex, day=11) | self.taken_back(12.5, self.amex, day=12)
        self.line(591.50, 14, AMEX)  # 640.00 less 16.00 (2.5 %) less 32.50
        match = self.find()
        self.assertEqual(
            (match.gross, match.fee, match.kept, match.chargeback_ids, match.fee_difference),
            (640.0, 16.0, 32.5, kept, 0.0),
        )
        self.post(match)
        self.assertEqual(self.movement("511510"), (0.0, 0.0))

    def test_what_the_terminal_declared_explains_it_as_well(self):
        self.batch_at(16, 500.0, declared=455.0)
        self.close()
        self.taken_back(45.0, self.cb)
        self.line(455.0, 17)
        matches = self.find()
        self.assertEqual(sorted((match.found_by, match.state) for match in matches),
                         [("declared", "ambiguous"), ("kept", "ambiguous")])  # fmt: skip

    def test_not_before_it_was_taken_back_and_only_once(self):
        self.batch_at(16, 500.0)
        self.close()
        self.taken_back(45.0, self.cb, day=18)
        self.line(455.0, 17)
        self.assertEqual(self.found(), [])
        self.line(455.0, 18)
        self.batch_at_again(17, 500.0)
        self.assertEqual({state for state, *_rest in self.found()}, {"ambiguous"}, "of one batch or the other")

    def batch_at_again(self, day, amount):
        self.session = self.open()
        batch = self.batch_at(day, amount, number="043")
        self.close()
        return batch

    def test_by_hand_with_a_fee_that_nobody_agreed(self):
        batch = self.batch_at(16, 500.0)
        self.close()
        chargeback = self.taken_back(45.0, self.cb)
        line = self.line(450.0, 28, "VIREMENT")
        values = {
            "company_id": self.company.id, "contract_id": self.cb.id, "reason": "Read the statement.",
            "statement_line_ids": [(6, 0, line.ids)], "batch_ids": [(6, 0, batch.ids)],
            "chargeback_ids": [(6, 0, chargeback.ids)], "difference_is": "fee",
        }  # fmt: skip
        wizard = self.env["card.match.manual"].create(values)
        self.assertEqual((wizard.kept, wizard.difference), (45.0, -5.0))
        match = self.env["card.match"].browse(wizard.action_accept()["res_id"])
        match.action_post()
        self.assertEntry(
            self.entries(match), (self.bank_code, 450, 0), ("627800", 5, 0), ("511500", 0, 500), ("511500", 45, 0)
        )  # fmt: skip
        self.assertEqual((self.movement("511500"), match.over), ((0.0, 0.0), 0.0))
        second = values | {"statement_line_ids": [(6, 0, self.line(5.0, 29).ids)]}
        with self.assertRaisesRegex(UserError, "another one already"):
            self.env["card.match.manual"].create(second).action_accept()

    def test_matched_otherwise_meanwhile(self):
        self.batch_at(16, 500.0)
        self.close()
        chargeback = self.taken_back(45.0, self.cb)
        self.line(455.0, 17)
        match = self.find()
        match.action_accept()
        account = self.account("511500")
        lines = self.env["account.move.line"].search([("account_id", "=", account.id), ("reconciled", "=", False)])
        lines.reconcile()
        self.assertTrue(chargeback.move_ids.line_ids.filtered(lambda line: line.account_id == account).reconciled)
        with self.assertRaisesRegex(UserError, "otherwise meanwhile"):
            match.action_post()


#: 985.00 USD of a card batch, which the bank changed into 820.83 EUR.
DOLLARS_IN_EURO = b"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id>
<Acct><Id><IBAN>FR7630003012340123456789047</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-17</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">820.83</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-17</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">820.83</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-17</Dt></BookgDt>
<AmtDtls><TxAmt><Amt Ccy="USD">985.00</Amt></TxAmt></AmtDtls><AddtlNtryInf>AMEX EUROPE 9345678901</AddtlNtryInf></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


@tagged("post_install", "-at_install")
class TestForeignMoney(Payouts, FrenchCase):
    """Dollars in a company that counts in euro: 1 EUR = 1.25 USD on the day of sale, 1.20 USD when the bank pays.

    1,000.00 USD are 800.00 EUR then and 833.33 EUR now: 33.33 EUR gained. Of 985.00 USD with a fee of 15.00 USD, the
    bank's side is 820.83 EUR (985 / 1.2 = 820.8333…), the fee 12.50 EUR: together 833.33 EUR.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollar = cls.env.ref("base.USD")
        cls.dollar.active = True
        cls.dollar.rate_ids.unlink()
        for day, rate in (("2026-11-01", 1.25), ("2026-11-17", 1.20)):
            cls.env["res.currency.rate"].create({
                "name": day, "rate": rate, "currency_id": cls.dollar.id, "company_id": cls.company.id,
            })  # fmt: skip

    def waiting(self, dollars):
        """Put dollars on the contract's outstanding account on November 16, in a batch."""
        move = self.env["account.move"].create({
            "move_type": "entry", "date": "2026-11-16",
            "line_ids": [
                (0, 0, {
                    "account_id": self.account(code).id, "currency_id": self.dollar.id,
                    "amount_currency": sign * dollars, "balance": sign * dollars / 1.25,
                })
                for code, sign in (("511510", 1), ("707000", -1))
            ],
        })  # fmt: skip
        move.action_post()
        return self.env["card.batch"].sudo().create({
            "contract_id": self.amex.id, "currency_id": self.dollar.id, "state": "closed", "closed_by": "taken_over",
            "opening_amount": dollars, "closed_at": "2026-11-16 20:00:00",
            "taken_over_line_ids": [(6, 0, move.line_ids[0].ids)],
        })  # fmt: skip

    def both(self, moves):
        """Return [(account code, dollars, euros)] of entries, sorted."""
        lines = moves.line_ids.with_company(self.company)
        return sorted((line.account_id.code, line.amount_currency, line.balance) for line in lines)

    def gain(self):
        account = self.company.income_currency_exchange_account_id
        return account.with_company(self.company).code

    def assertSettled(self, match, batch):
        exchange = self.env["account.move"].search([("journal_id", "=", self.company.currency_exchange_journal_id.id)])
        self.assertEqual(self.both(exchange), sorted([("511510", 0.0, 33.33), (self.gain(), 0.0, -33.33)]))
        waits = self.env["account.move.line"].search([("account_id", "=", self.account("511510").id)])
        self.assertEqual(
            (sum(waits.mapped("amount_residual")), sum(waits.mapped("amount_residual_currency"))), (0.0, 0.0)
        )
        self.assertEqual((self.movement("511510"), match.settled, batch.settlement_state), ((0, 0), True, "settled"))

    def test_dollars_on_a_dollar_account(self):
        dollars = self.bank.copy({"name": "Dollars", "code": "USD9", "currency_id": self.dollar.id})
        self.amex.write({"bank_journal_id": dollars.id, "fee_rate": 1.5, "tolerance": 0.01})
        batch = self.waiting(1000.0)
        self.bank = dollars
        self.line(985.0, 17, AMEX)
        match = self.post()
        self.assertEqual(
            (match.currency_id, match.gross, match.fee, match.found_by), (self.dollar, 1000.0, 15.0, "amount")
        )
        code = dollars.default_account_id.with_company(self.company).code
        self.assertEqual(
            self.both(self.entries(match)),
            sorted([(code, 985.0, 820.83), ("511510", -1000.0, -833.33), ("627800", 15.0, 12.5)]),
        )
        self.assertSettled(match, batch)
        match.action_undo()
        self.assertEqual(self.movement("511510"), (800.0, 800.0))

    def test_dollars_that_the_bank_pays_in_euro(self):
        """The bank changed them at a rate of its own: 1,000.00 USD less 15.00 USD came as 820.83 EUR."""
        self.amex.write({"fee_rate": 1.5, "tolerance": 0.01})
        batch = self.waiting(1000.0)
        self.bank.bank_acc_number = "FR7630003012340123456789047"
        file = self.env["ir.attachment"].create({"name": "day.xml", "raw": DOLLARS_IN_EURO})
        wizard = self.env["card.statement.import"].create(
            {"attachment_ids": [(6, 0, file.ids)], "company_id": self.company.id}
        )
        wizard.action_import()
        line = wizard.statement_ids.line_ids
        self.assertEqual((line.foreign_currency_id, line.amount_currency, line.card_gross), (self.dollar, 985.0, 0.0))
        match = self.post()
        self.assertEqual((match.currency_id, match.amount, match.line_ids.amount), (self.dollar, 985.0, 985.0))
        self.assertEqual(
            self.both(self.entries(match)),
            sorted([(self.bank_code, 820.83, 820.83), ("511510", -1000.0, -833.33), ("627800", 15.0, 12.5)]),
        )
        self.assertSettled(match, batch)

    def test_dollars_and_euro_are_not_mixed(self):
        self.waiting(1000.0)
        self.line(1000.0, 17, AMEX)
        self.assertEqual(self.found(), [])
        self.assertEqual(fields.Date.to_string(self.dollar.rate_ids[0].name), "2026-11-17")


@tagged("post_install", "-at_install")
class TestForeignTill(OtherCurrencyCase):
    """A till whose currency has three decimals: worth 2.00 of the company's at the sale, 2.50 when the bank pays."""

    def test_from_the_till_to_the_bank(self):
        waits = self.copy_account(self.outstanding_bank, {"name": "Cards to Collect", "code": "511500"})
        contract = self.env["card.contract"].create({
            "name": "CB", "outstanding_account_id": waits.id, "takes_others": True, "number": "5091540",
            "bank_journal_id": self.card_pm.journal_id.id, "settlement": "net", "fee_rate": 1.6, "tolerance": 0.001,
            "fee_account_id": self.company_data["default_account_expense"].id,
        })  # fmt: skip
        session = self.open()
        for quantity in (2, 1, -1):
            self.book(quantity)
        batch = self.env["card.batch"].search([("contract_id", "=", contract.id)])
        batch.action_close()
        self.assertEqual(session.close_session_from_ui(), {"successful": True})
        today = fields.Date.context_today(contract)
        bank_day = fields.Date.add(today, days=2)
        self.env["res.currency.rate"].create({
            "name": bank_day, "rate": 0.4, "currency_id": self.currency.id, "company_id": self.company.id,
        })  # fmt: skip
        line = self.env["account.bank.statement.line"].create({
            "journal_id": self.card_pm.journal_id.id, "date": bank_day, "amount": 9.84, "payment_ref": "REMISE 5091540",
        })  # fmt: skip
        self.env["card.match"]._find(contract)
        match = self.env["card.match"].search([("contract_id", "=", contract.id)])
        self.assertEqual((match.currency_id, match.gross, match.fee, match.amount), (self.currency, 10.0, 0.16, 9.84))
        match.action_accept()
        match.action_post()
        self.assertEqual((match.settled, batch.settlement_state), (True, "settled"))
        self.assertEqual(session.bank_payment_ids.state, "paid")
        paid = line.move_id.line_ids.filtered(lambda item: item.account_id == waits)
        self.assertEqual((paid.amount_currency, paid.balance), (-10.0, -25.0))
        booked = self.env["account.move.line"].search([("account_id", "=", waits.id)])
        self.assertEqual(
            [sum(booked.mapped(name)) for name in ("balance", "amount_residual", "amount_residual_currency")], [0, 0, 0]
        )
        match.action_undo()
        self.assertEqual((match.state, sum(booked.exists().mapped("amount_residual_currency"))), ("accepted", 10.0))
