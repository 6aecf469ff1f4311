"""Entries for other accounting programs: in the form of the FEC, and as DATEV postings."""

from datetime import timedelta
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError

from ..ledger_files import datev, fec, pairs
from ..models.card_money import to_minor


class CardLedgerExport(models.TransientModel):
    _inherit = "card.ledger.export"

    def _entries(self, company, first=None, last=None):
        """Return the entries that move card money, whole, in the order they were made in."""
        if company.currency_id.decimal_places != 2:
            raise UserError(self.env._("This format wants amounts with two decimals: %s has others.", company.name))
        moves = self._card_lines(company, first, last).move_id
        return moves.sorted(lambda move: (move.date, move.id))

    # FEC --------------------------------------------------------------------------------------------------------------

    def _fec_files(self):
        files = []
        for company in self._companies():
            lines = self._entries(company).line_ids.filtered("account_id")
            moved = {}
            for line in lines:
                moved[line.account_id] = moved.get(line.account_id, 0) + to_minor(line.balance, company.currency_id)
            self._check_movement(company, moved)
            if lines:
                said = company.company_registry or company.vat or ""
                siren = "".join(char for char in said if char.isdigit())[:9]
                name = "_".join(filter(None, [siren, self._stem("FEC_EXTRACT", company)]))
                files.append((f"{name}.txt", fec.write(self._fec_entry(line) for line in lines)))
        return files

    def _fec_entry(self, line):
        move, company = line.move_id, line.company_id
        account = line.account_id.with_company(company)
        personal = account.account_type in ("asset_receivable", "liability_payable") and line.partner_id
        full, foreign = line.full_reconcile_id, line.currency_id != company.currency_id
        return fec.Entry(
            journal=move.journal_id.code,
            journal_name=move.journal_id.name,
            number=move.name,
            date=line.date,
            account=account.code,
            account_name=account.name,
            reference=move._card_reference(),
            reference_date=move.invoice_date or move.date,
            text=line.name or move.ref or "",
            debit=to_minor(line.debit, company.currency_id),
            credit=to_minor(line.credit, company.currency_id),
            validated=move.date,
            partner=(personal.ref or str(personal.id)) if personal else "",
            partner_name=personal.name if personal else "",
            matching=str(full.id) if full else "",
            matched=max(full.partial_reconcile_ids.mapped("max_date")) if full else None,
            foreign=to_minor(abs(line.amount_currency), line.currency_id) if foreign else None,
            foreign_digits=line.currency_id.decimal_places,
            foreign_currency=line.currency_id.name if foreign else "",
        )

    # DATEV ------------------------------------------------------------------------------------------------------------

    def _datev_files(self):
        files = []
        for company in self._companies():
            numbers = self.env["card.datev.account"]._numbers(company)
            for year_start, first, last in self._fiscal_years(company):
                postings = self._datev_postings(company, numbers, first, last)
                if postings:
                    header = self._datev_header(company, year_start, first, last)
                    label = f"c{company.id}" if len(self.company_ids) > 1 else ""
                    try:
                        files += datev.files(header, postings, label)
                    except datev.DatevError as error:
                        said = self.env._("%(company)s: %(why)s", company=company.name, why=self.env._(error.text))
                        raise UserError(said) from error
        return files

    def _fiscal_years(self, company):
        """Yield (first day of the year, first and last day of the period in it)."""
        day = self.date_from
        while day <= self.date_to:
            year = company.compute_fiscalyear_dates(day)
            yield year["date_from"], day, min(self.date_to, year["date_to"])
            day = year["date_to"] + timedelta(days=1)

    def _datev_header(self, company, year_start, first, last):
        return datev.Header(
            consultant=company.card_datev_consultant,
            client=company.card_datev_client,
            year_start=year_start,
            first=first,
            last=last,
            created=fields.Datetime.context_timestamp(self, fields.Datetime.now()),
            account_digits=company.card_datev_digits,
            locked=company.card_datev_locked,
            currency=company.currency_id.name,
            chart=company.card_datev_chart or "",
        )

    def _datev_postings(self, company, numbers, first, last):
        postings, moved = [], {}
        automatic = self.env["card.datev.account"]._automatic(company)
        for move in self._entries(company, first, last):
            reference, currency = move._card_reference(), company.currency_id
            lines, keys, taxed = self._datev_lines(move, currency)
            for line, minor in taxed:  # what DATEV makes of a posting with a tax key
                moved[line.account_id] = moved.get(line.account_id, 0) + minor
            for debit, credit, amount in pairs.pair(lines):
                for line, minor in ((debit, amount), (credit, -amount)):
                    moved[line.account_id] = moved.get(line.account_id, 0) + minor
                text = self._datev_text(move, debit, credit)
                sides, sign = [debit, credit], 1
                if keys.get(debit) or (debit.account_id in automatic and not keys.get(credit)):
                    sides, sign = [credit, debit], -1  # the key goes by the counter account
                key = keys.get(sides[1]) or (datev.NO_AUTOMATIC_TAX if sides[1].account_id in automatic else "")
                postings.append(
                    datev.Posting(
                        amount=sign * amount,
                        account=numbers(sides[0].account_id),
                        counter=numbers(sides[1].account_id),
                        day=move.date,
                        reference=reference,
                        text=text,
                        key=key,
                        **_foreign(debit, credit, amount),
                    )
                )
        self._check_movement(company, moved, first, last)
        return postings

    def _datev_lines(self, move, currency):
        """Return an entry's lines as [(line, minor units)], {line: tax key}, and what the keys move of themselves.

        Where a tax has a key, its lines are put into the one line it was calculated from.
        """
        lines = move.line_ids.filtered("account_id").sorted("id")
        amounts = {line: to_minor(line.balance, currency) for line in lines}
        keys, taxed = {}, []
        for tax in lines.tax_line_id.filtered("card_datev_code"):
            base = lines.filtered(lambda line, tax=tax: line.tax_ids == tax)
            own = lines.filtered(lambda line, tax=tax: line.tax_line_id == tax)
            if len(base) == 1:
                keys[base] = tax.card_datev_code.zfill(4)
                for line in own:
                    minor = amounts.pop(line)
                    amounts[base] += minor
                    taxed += [(line, minor), (base, -minor)]
        return list(amounts.items()), keys, taxed

    def _datev_text(self, move, debit, credit):
        """Return what people read of a posting: the contract, and what the side that says more says."""
        said = max((debit.name or "", credit.name or ""), key=len)
        return " ".join(filter(None, [move._card_contract().name, said or move.ref or move.name]))


def _foreign(debit, credit, amount):
    """Return what a posting was in the currency of both its lines; nothing where they are in different ones."""
    currency, company = debit.currency_id, debit.company_id.currency_id
    if currency != credit.currency_id or currency == company:
        return {}
    whole = [line for line in (debit, credit) if to_minor(abs(line.balance), company) == amount]
    said = {Decimal(repr(abs(line.amount_currency))) for line in whole}
    return {"foreign": said.pop(), "foreign_currency": currency.name} if len(said) == 1 else {}
