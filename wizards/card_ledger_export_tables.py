"""Tables for people: the card journal, batches, open money, and how DSFinV-K classifies payments."""

from datetime import datetime, time, timedelta

import pytz
from odoo import fields, models

from ..ledger_files.table import Amount, Table, write_csv, write_xlsx
from ..models.card_money import to_minor


class CardLedgerExport(models.TransientModel):
    _inherit = "card.ledger.export"

    def _journal_csv_files(self):
        return self._one_csv(self._journal_table())

    def _journal_xlsx_files(self):
        tables = (self._totals_table(), self._journal_table(), self._batch_table(), self._payment_table())
        return [(f"{self._stem('card_journal')}.xlsx", write_xlsx(tables))]

    def _batches_csv_files(self):
        return self._one_csv(self._batch_table())

    def _open_csv_files(self):
        return self._one_csv(self._open_table())

    def _dsfinvk_files(self):
        return self._one_csv(self._payment_table())

    def _one_csv(self, table):
        sign = self.env["res.lang"]._get_data(code=self.env.user.lang or "en_US").decimal_point or "."
        return [(f"{self._stem(table.name)}.csv", write_csv(table, sign))] if table.rows else []

    # Rows -------------------------------------------------------------------------------------------------------------

    def _totals_table(self):
        rows = []
        for company in self._companies():
            digits = company.currency_id.decimal_places
            for role, account, debit, credit in self._movements(company):
                own = account.with_company(company)
                rows.append(
                    [
                        company.name,
                        self.date_from,
                        self.date_to,
                        own.code,
                        own.name,
                        role,
                        Amount(debit, digits),
                        Amount(credit, digits),
                        Amount(debit - credit, digits),
                        company.currency_id.name,
                    ]
                )
        titles = (
            self.env._("Company"),
            self.env._("From"),
            self.env._("To"),
            self.env._("Account"),
            self.env._("Account Name"),
            self.env._("For"),
            self.env._("Debit"),
            self.env._("Credit"),
            self.env._("Balance"),
            self.env._("Currency"),
        )
        return Table(self.env._("Totals"), titles, rows)

    def _journal_table(self):
        rows, names = [], self._role_names()
        for company in self._companies():
            role_of = {account: role for role, accounts in self._accounts(company).items() for account in accounts}
            currency, moved = company.currency_id, {}
            for line in self._card_lines(company):
                move, account = line.move_id, line.account_id.with_company(company)
                debit, credit = to_minor(line.debit, currency), to_minor(line.credit, currency)
                moved[line.account_id] = moved.get(line.account_id, 0) + debit - credit
                contract = move._card_contract() or self._contract_of(company, line.account_id)
                foreign = line.currency_id
                rows.append(
                    [
                        company.name,
                        line.date,
                        move.journal_id.code,
                        move.name,
                        account.code,
                        account.name,
                        names[role_of[line.account_id]],
                        contract.name,
                        move._card_reference(),
                        line.name,
                        Amount(debit, currency.decimal_places),
                        Amount(credit, currency.decimal_places),
                        currency.name,
                        Amount(to_minor(line.amount_currency, foreign), foreign.decimal_places),
                        foreign.name,
                        line.matching_number,
                    ]
                )
            self._check_movement(company, moved)
        titles = (
            self.env._("Company"),
            self.env._("Date"),
            self.env._("Journal"),
            self.env._("Entry"),
            self.env._("Account"),
            self.env._("Account Name"),
            self.env._("For"),
            self.env._("Contract"),
            self.env._("Reference"),
            self.env._("Text"),
            self.env._("Debit"),
            self.env._("Credit"),
            self.env._("Currency"),
            self.env._("Amount in Currency"),
            self.env._("Currency of the Item"),
            self.env._("Matching"),
        )
        return Table("card_journal", titles, rows)

    def _contract_of(self, company, account):
        """Return the one contract whose money waits on this account."""
        found = (
            self.env["card.contract"]
            .with_context(active_test=False)
            .search([("company_id", "=", company.id), ("outstanding_account_id", "=", account.id)])
        )
        return found if len(found) == 1 else found.browse()

    def _batches(self):
        """Return the batches that ended in the period, oldest first."""
        if self.batch_ids:
            return self.batch_ids.sorted(lambda batch: (batch.day, batch.id))
        domain = [
            ("company_id", "in", self.company_ids.ids),
            ("state", "!=", "open"),
            ("day", ">=", self.date_from),
            ("day", "<=", self.date_to),
        ]
        if self.contract_ids:
            domain.append(("contract_id", "in", self.contract_ids.ids))
        return self.env["card.batch"].search(domain, order="day, id")

    def _batch_table(self):
        closed = dict(self.env["card.batch"]._fields["closed_by"]._description_selection(self.env))
        rows = []
        for batch in self._batches().sudo():
            digits = batch.currency_id.decimal_places
            odoo, declared, difference = (
                Amount(to_minor(batch[name], batch.currency_id), digits)
                for name in ("odoo_amount", "declared_amount", "difference")
            )
            known = batch.is_declared
            rows.append(
                [
                    batch.company_id.name,
                    batch.name,
                    batch.number,
                    batch.contract_id.name,
                    batch.contract_id.number,
                    batch.terminal_id.name,
                    batch.day,
                    self._local(batch.opened_at),
                    self._local(batch.closed_at),
                    closed.get(batch.closed_by),
                    batch.odoo_count,
                    odoo,
                    batch.declared_count if known else None,
                    declared if known else None,
                    difference if known else None,
                    batch.currency_id.name,
                ]
            )
        titles = (
            self.env._("Company"),
            self.env._("Batch"),
            self.env._("Terminal's Number"),
            self.env._("Contract"),
            self.env._("Contract Number"),
            self.env._("Terminal"),
            self.env._("Business Day"),
            self.env._("Opened"),
            self.env._("Ended"),
            self.env._("Ended by"),
            self.env._("Payments in Odoo"),
            self.env._("In Odoo"),
            self.env._("Payments Declared"),
            self.env._("Declared"),
            self.env._("Difference"),
            self.env._("Currency"),
        )
        return Table("card_batches", titles, rows)

    def _open_table(self):
        names = dict(self.env["card.open.item"]._fields["age"]._description_selection(self.env))
        items = self.env["card.open.item"].with_context(allowed_company_ids=self.company_ids.ids)._as_of(self.date_to)
        rows = []
        for company in self._companies():
            accounts = self._accounts(company)["outstanding"]
            found = items.search([("company_id", "=", company.id), ("account_id", "in", accounts.ids)])
            for item in found:
                currency = item.currency_id
                account = item.account_id.with_company(company)
                rows.append(
                    [
                        company.name,
                        self.date_to,
                        account.code,
                        account.name,
                        item.contract_id.name,
                        item.date,
                        item.move_id.name,
                        item.label,
                        Amount(to_minor(item.amount, currency), currency.decimal_places),
                        Amount(to_minor(item.open_amount, currency), currency.decimal_places),
                        currency.name,
                        item.days,
                        names[item.age],
                        item.expected_on,
                    ]
                )
        titles = (
            self.env._("Company"),
            self.env._("Open at"),
            self.env._("Account"),
            self.env._("Account Name"),
            self.env._("Contract"),
            self.env._("Date"),
            self.env._("Entry"),
            self.env._("Text"),
            self.env._("Booked"),
            self.env._("Open"),
            self.env._("Currency"),
            self.env._("Days Open"),
            self.env._("Age"),
            self.env._("Expected by"),
        )
        return Table("card_open_money", titles, rows)

    def _payment_table(self):
        """Return card payments as datapayment.csv of DSFinV-K names them, with brand and contract."""
        brands = {
            brand.name.casefold(): brand.dsfinvk_type for brand in self.env["card.brand"].search([]) if brand.name
        }
        rows = []
        for payment in self._payments():
            currency, company = payment.currency_id, payment.company_id.currency_id
            amount = to_minor(payment.amount, currency)
            base = to_minor(
                currency._convert(payment.amount, company, payment.company_id, payment.payment_date), company
            )
            rows.append(
                [
                    payment.session_id.config_id.name,
                    payment.session_id.name,
                    payment.pos_order_id.pos_reference,
                    self._local(payment.payment_date),
                    payment._dsfinvk_type(brands),
                    (payment.card_brand or "")[:60],
                    currency.name,
                    Amount(amount, currency.decimal_places),
                    Amount(base, company.decimal_places),
                    payment.card_contract_id.name,
                    payment.card_batch_id.number or payment.card_batch_id.name,
                ]
            )
        titles = (
            "Z_KASSE_ID",
            "Z_NR",
            "BON_ID",
            self.env._("Date"),
            "ZAHLART_TYP",
            "ZAHLART_NAME",
            "ZAHLWAEH_CODE",
            "ZAHLWAEH_BETRAG",
            "BASISWAEH_BETRAG",
            self.env._("Contract"),
            self.env._("Batch"),
        )
        return Table("card_payments", titles, rows)

    def _payments(self):
        """Return the card payments of the period (by the user's clock), oldest first."""
        zone = pytz.timezone(self.env.user.tz or "UTC")
        first, after = (
            zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
            for day in (self.date_from, self.date_to + timedelta(days=1))
        )
        domain = [
            ("company_id", "in", self.company_ids.ids),
            ("payment_date", ">=", first),
            ("payment_date", "<", after),
            ("payment_method_id.use_payment_terminal", "=", "card_terminal"),
            ("pos_order_id.state", "in", ("paid", "done", "invoiced")),
        ]
        if self.contract_ids:
            domain.append(("card_contract_id", "in", self.contract_ids.ids))
        return self.env["pos.payment"].sudo().search(domain, order="payment_date, id")

    def _local(self, moment):
        """Return a moment by the user's clock."""
        return fields.Datetime.context_timestamp(self, moment).replace(tzinfo=None) if moment else None
