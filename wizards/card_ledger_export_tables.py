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
        def money(row, minor):
            return Amount(minor, row[0].currency_id.decimal_places)

        rows = [(company, *moved) for company in self._companies() for moved in self._movements(company)]
        columns = {
            self.env._("Company"): lambda row: row[0].name,
            self.env._("From"): lambda row: self.date_from,
            self.env._("To"): lambda row: self.date_to,
            self.env._("Account"): lambda row: row[2].with_company(row[0]).code,
            self.env._("Account Name"): lambda row: row[2].with_company(row[0]).name,
            self.env._("Purpose"): lambda row: row[1],
            self.env._("Debit"): lambda row: money(row, row[3]),
            self.env._("Credit"): lambda row: money(row, row[4]),
            self.env._("Balance"): lambda row: money(row, row[3] - row[4]),
            self.env._("Currency"): lambda row: row[0].currency_id.name,
        }
        return _table(self.env._("Totals"), columns, rows)

    def _journal_table(self):
        lines, role_of, names = self.env["account.move.line"], {}, self._role_names()
        for company in self._companies():
            for role, accounts in self._accounts(company).items():
                role_of.update({(company, account): names[role] for account in accounts})
            own, moved = self._card_lines(company), {}
            for line in own:
                minor = to_minor(line.balance, company.currency_id)
                moved[line.account_id] = moved.get(line.account_id, 0) + minor
            self._check_movement(company, moved)
            lines |= own
        contracts = self._contract_of_account()
        columns = {
            self.env._("Company"): lambda line: line.company_id.name,
            self.env._("Date"): lambda line: line.date,
            self.env._("Journal"): lambda line: line.journal_id.code,
            self.env._("Entry"): lambda line: line.move_name,
            self.env._("Account"): lambda line: line.account_id.with_company(line.company_id).code,
            self.env._("Account Name"): lambda line: line.account_id.with_company(line.company_id).name,
            self.env._("Purpose"): lambda line: role_of[line.company_id, line.account_id],
            self.env._("Contract"): lambda line: (
                (line.move_id._card_contract() or contracts(line.company_id, line.account_id)).name
            ),
            self.env._("Reference"): lambda line: line.move_id._card_reference(),
            self.env._("Text"): lambda line: line.name,
            self.env._("Debit"): lambda line: _money(line, "debit", line.company_currency_id),
            self.env._("Credit"): lambda line: _money(line, "credit", line.company_currency_id),
            self.env._("Currency"): lambda line: line.company_currency_id.name,
            self.env._("Amount in Currency"): lambda line: _money(line, "amount_currency"),
            self.env._("Currency of the Item"): lambda line: line.currency_id.name,
            self.env._("Matching"): lambda line: line.matching_number,
        }
        return _table("card_journal", columns, lines)

    def _contract_of_account(self):
        """Return a function that tells the one contract whose money waits on an account of a company."""
        every = self.env["card.contract"].with_context(active_test=False)
        every = every.search([("company_id", "in", self.company_ids.ids)])
        by_account = every.grouped(lambda contract: (contract.company_id, contract.outstanding_account_id))

        def sole(company, account):
            found = by_account.get((company, account), every.browse())
            return found if len(found) == 1 else every.browse()

        return sole

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

        def told(batch, cell):
            return cell if batch.is_declared else None

        columns = {
            self.env._("Company"): lambda batch: batch.company_id.name,
            self.env._("Batch"): lambda batch: batch.name,
            self.env._("Terminal's Number"): lambda batch: batch.number,
            self.env._("Contract"): lambda batch: batch.contract_id.name,
            self.env._("Contract Number"): lambda batch: batch.contract_id.number,
            self.env._("Terminal"): lambda batch: batch.terminal_id.name,
            self.env._("Business Day"): lambda batch: batch.day,
            self.env._("Opened"): lambda batch: self._local(batch.opened_at),
            self.env._("Ended"): lambda batch: self._local(batch.closed_at),
            self.env._("Ended by"): lambda batch: closed.get(batch.closed_by),
            self.env._("Payments in Odoo"): lambda batch: batch.odoo_count,
            self.env._("In Odoo"): lambda batch: _money(batch, "odoo_amount"),
            self.env._("Payments Declared"): lambda batch: told(batch, batch.declared_count),
            self.env._("Declared"): lambda batch: told(batch, _money(batch, "declared_amount")),
            self.env._("Difference"): lambda batch: told(batch, _money(batch, "difference")),
            self.env._("Due from the Bank"): lambda batch: _money(batch, "amount_due"),
            self.env._("Paid by the Bank"): lambda batch: _money(batch, "paid_amount"),
            self.env._("Currency"): lambda batch: batch.currency_id.name,
        }
        return _table("card_batches", columns, self._batches().sudo())

    def _open_table(self):
        names = dict(self.env["card.open.item"]._fields["age"]._description_selection(self.env))
        items = self.env["card.open.item"].with_context(allowed_company_ids=self.company_ids.ids)._as_of(self.date_to)
        found = items.browse()
        for company in self._companies():
            accounts = self._accounts(company)["outstanding"]
            found |= items.search([("company_id", "=", company.id), ("account_id", "in", accounts.ids)])
        columns = {
            self.env._("Company"): lambda item: item.company_id.name,
            self.env._("Open at"): lambda item: self.date_to,
            self.env._("Account"): lambda item: item.account_id.with_company(item.company_id).code,
            self.env._("Account Name"): lambda item: item.account_id.with_company(item.company_id).name,
            self.env._("Contract"): lambda item: item.contract_id.name,
            self.env._("Date"): lambda item: item.date,
            self.env._("Entry"): lambda item: item.move_id.name,
            self.env._("Text"): lambda item: item.label,
            self.env._("Booked"): lambda item: _money(item, "amount"),
            self.env._("Open"): lambda item: _money(item, "open_amount"),
            self.env._("Currency"): lambda item: item.currency_id.name,
            self.env._("Days Open"): lambda item: item.days,
            self.env._("Age"): lambda item: names[item.age],
            self.env._("Expected by"): lambda item: item.expected_on,
        }
        return _table("card_open_money", columns, found)

    def _payment_table(self):
        """Return card payments as datapayment.csv of DSFinV-K names them, with brand and contract."""
        set_by_people = self.env["card.brand"].search([("dsfinvk_type", "!=", False)])
        brands = {brand.name.casefold(): brand.dsfinvk_type for brand in set_by_people}

        def base(payment):
            currency = payment.company_id.currency_id
            amount = payment.currency_id._convert(payment.amount, currency, payment.company_id, payment.payment_date)
            return Amount(to_minor(amount, currency), currency.decimal_places)

        columns = {
            "Z_KASSE_ID": lambda payment: payment.session_id.config_id.name,
            "Z_NR": lambda payment: payment.session_id.name,
            "BON_ID": lambda payment: payment.pos_order_id.pos_reference,
            self.env._("Date"): lambda payment: self._local(payment.payment_date),
            "ZAHLART_TYP": lambda payment: payment._dsfinvk_type(brands),
            "ZAHLART_NAME": lambda payment: (payment.card_brand or "")[:60],
            "ZAHLWAEH_CODE": lambda payment: payment.currency_id.name,
            "ZAHLWAEH_BETRAG": lambda payment: _money(payment, "amount"),
            "BASISWAEH_BETRAG": base,
            self.env._("Contract"): lambda payment: payment.card_contract_id.name,
            self.env._("Batch"): lambda payment: payment.card_batch_id.number or payment.card_batch_id.name,
        }
        return _table("card_payments", columns, self._payments())

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
            "|",
            ("payment_method_id.use_payment_terminal", "=", "card_terminal"),
            ("card_contract_id", "!=", False),
            ("pos_order_id.state", "in", ("paid", "done", "invoiced")),
        ]
        if self.contract_ids:
            domain.append(("card_contract_id", "in", self.contract_ids.ids))
        return self.env["pos.payment"].sudo().search(domain, order="payment_date, id")

    def _local(self, moment):
        """Return a moment by the user's clock."""
        return fields.Datetime.context_timestamp(self, moment).replace(tzinfo=None) if moment else None


def _table(name, columns, records):
    """Return a table of {title: cell of a record}."""
    return Table(name, list(columns), [[cell(record) for cell in columns.values()] for record in records])


def _money(record, field, currency=None):
    currency = currency or record.currency_id
    return Amount(to_minor(record[field], currency), currency.decimal_places)
