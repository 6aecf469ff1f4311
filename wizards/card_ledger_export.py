"""Files for the accountant: what is chosen, what it contains, and that it moves what the ledger moves."""

import base64
import io
import zipfile

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import LazyTranslate
from odoo.tools.misc import formatLang

from ..models.card_money import from_minor

_lt = LazyTranslate(__name__)

#: What each file contains, as people are told; {kind}_files makes it, as [(name, bytes)].
CONTENTS = {
    "journal_csv": _lt("Every posted journal item on the accounts of card money, one row each."),
    "journal_xlsx": _lt(
        "Sheets: totals of each account; every posted journal item on the accounts of card money; batches; payments."
    ),
    "batches_csv": _lt("Batches that ended in the period, beside what the terminal declared."),
    "open_csv": _lt("Card money the bank had not paid at the end of the period, item by item."),
    "fec": _lt(
        "Entries that move card money, whole, in the form of the “fichier des écritures comptables” (18 columns). "
        "It is an extract: not the FEC of a year, its numbers have gaps."
    ),
    "datev": _lt(
        "Entries that move card money as DATEV postings (EXTF 700, Buchungsstapel), one file for each fiscal year; "
        "taxes with a key in DATEV as one gross posting, other currencies with their rate."
    ),
    "dsfinvk": _lt(
        "Card payments with the ZAHLART_TYP and ZAHLART_NAME of DSFinV-K 2.2 (annex D): the classification only, not a "
        "DSFinV-K export."
    ),
    "sheets_pdf": _lt("A sheet for each batch that ended in the period: totals, differences, payments."),
}


class CardLedgerExport(models.TransientModel):
    _name = "card.ledger.export"
    _description = "Files for the Accountant"

    kind = fields.Selection(
        [
            ("journal_xlsx", "Card journal (XLSX)"),
            ("journal_csv", "Card journal (CSV)"),
            ("batches_csv", "Card batches (CSV)"),
            ("open_csv", "Open card money at the end (CSV)"),
            ("fec", "Entries in FEC form (extract)"),
            ("datev", "DATEV postings"),
            ("dsfinvk", "DSFinV-K classification of payments (CSV)"),
            ("sheets_pdf", "Batch sheets (PDF)"),
        ],
        "File",
        required=True,
        default="journal_xlsx",
    )
    date_from = fields.Date("From", required=True, default=lambda self: fields.Date.context_today(self).replace(day=1))
    date_to = fields.Date("To", required=True, default=fields.Date.context_today)
    company_ids = fields.Many2many(
        "res.company", string="Companies", required=True, default=lambda self: self.env.company
    )
    contract_ids = fields.Many2many(
        "card.contract",
        string="Contracts",
        domain="[('company_id', 'in', company_ids)]",
        help="Empty: all, and the accounts of payment methods and of money in suspense.",
    )
    batch_ids = fields.Many2many("card.batch", string="Batches", help="Empty: all that ended in the period.")
    contents = fields.Html(compute="_compute_contents", help="What the file contains, and what the ledger says.")
    content = fields.Binary("File Content", readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    def action_export(self):
        """Make the file, or one archive of several, and download it."""
        self.ensure_one()
        self._check_choice()
        files = getattr(self, f"_{self.kind}_files")()
        if not files:
            raise UserError(self.env._("There is nothing of this kind in the period."))
        if len(files) == 1:
            [(self.file_name, content)] = files
        else:
            self.file_name, content = f"{self._stem(self.kind)}.zip", _zipped(files)
        self.content = base64.b64encode(content)
        url = f"/web/content/{self._name}/{self.id}/content/{self.file_name}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _check_choice(self):
        if self.date_from > self.date_to:
            raise UserError(self.env._("The period ends before it begins."))
        if self.company_ids - self.env.user.company_ids:
            raise AccessError(self.env._("You have no access to one of these companies."))
        self.contract_ids.check_access("read")
        self.batch_ids.check_access("read")

    # What it contains -------------------------------------------------------------------------------------------------

    @api.depends("kind", "date_from", "date_to", "company_ids", "contract_ids")
    def _compute_contents(self):
        for export in self:
            export.contents = export.kind and Markup("<p>%s</p>%s") % (
                self.env._(CONTENTS[export.kind]),
                export._movement_table(),
            )

    def _movement_table(self):
        """Return the movement of each account in the period, as the ledger says it."""
        rows = Markup("")
        for company in self._companies():
            for role, account, debit, credit in self._movements(company):
                money = (
                    formatLang(self.env, from_minor(minor, company.currency_id), currency_obj=company.currency_id)
                    for minor in (debit, credit, debit - credit)
                )
                own = account.with_company(company)
                cells = (company.name, f"{own.code} {own.name}", role, *money)
                rows += Markup("<tr>%s</tr>") % Markup("").join(
                    Markup("<td class='%s'>%s</td>") % ("text-end" if place > 2 else "", cell)
                    for place, cell in enumerate(cells)
                )
        if not rows:
            return Markup("")
        titles = (
            self.env._("Company"), self.env._("Account"), self.env._("Purpose"),
            self.env._("Debit"), self.env._("Credit"), self.env._("Balance"),
        )  # fmt: skip
        head = Markup("").join(
            Markup("<th class='%s'>%s</th>") % ("text-end" if place > 2 else "", title)
            for place, title in enumerate(titles)
        )
        return Markup("<table class='table table-sm'><thead><tr>%s</tr></thead><tbody>%s</tbody></table>") % (
            head,
            rows,
        )

    def _role_names(self):
        return {
            "outstanding": self.env._("Waiting for the bank"),
            "fee": self.env._("Fees"),
            "suspense": self.env._("In suspense"),
            "chargeback": self.env._("Chargebacks"),
        }

    def _movements(self, company):
        """Return [(role, account, debit, credit)] of a company, in minor units, in order of the accounts' codes."""
        roles, names = self._accounts(company), self._role_names()
        role_of = {account: names[role] for role, accounts in roles.items() for account in accounts}
        moved = company._card_ledger_movement(self.date_from, self.date_to, self._contracts(company))
        by_code = sorted(moved, key=lambda account: account.with_company(company).code or "")
        return [(role_of[account], account, *moved[account]) for account in by_code]

    # What it is made of -----------------------------------------------------------------------------------------------

    def _contracts(self, company):
        return self.contract_ids._origin.filtered(lambda contract: contract.company_id == company)

    def _companies(self):
        """Yield each company with what is chosen of it; where contracts are chosen, only theirs."""
        for company in self.company_ids._origin & self.env.user.company_ids:
            if not self.contract_ids or self._contracts(company):
                yield company

    def _accounts(self, company):
        return company._card_ledger_accounts(self._contracts(company))

    def _card_lines(self, company, first=None, last=None):
        """Return the posted journal items on accounts of card money."""
        domain = company._card_ledger_domain(first or self.date_from, last or self.date_to, self._contracts(company))
        return self.env["account.move.line"].search(domain, order="date, move_name, id")

    def _check_movement(self, company, moved, first=None, last=None):
        """Refuse a file that would not move each account by what the ledger moved it: {account: net minor units}."""
        ledger = company._card_ledger_movement(first or self.date_from, last or self.date_to, self._contracts(company))
        for account in self.env["account.account"].concat(*self._accounts(company).values()):
            debit, credit = ledger.get(account, (0, 0))
            if moved.get(account, 0) != debit - credit:
                raise UserError(
                    self.env._(
                        "The file would move account %(account)s by another amount than the ledger: nothing was "
                        "exported. Try again; if it stays, tell whoever maintains your Odoo.",
                        account=account.with_company(company).display_name,
                    )
                )

    def _stem(self, name, company=None):
        """Return the beginning of a file's name."""
        several = company and len(self.company_ids) > 1
        return "_".join(filter(None, [name, f"c{company.id}" if several else "", f"{self.date_from}_{self.date_to}"]))


def _zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()
