"""Bank and acquirer files become bank statements of Odoo: each line once, whole files or nothing.

A line that stands there already, from an overlapping file or another importer, is known again and not added.
"""

from collections import Counter
from dataclasses import asdict, replace
from decimal import Decimal
from secrets import token_hex

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..bank_files import reader
from ..bank_files.reference import hide_cards, holds_cards
from ..bank_files.statement import BankFileError, keys
from ..hw_driver.money import decimals
from ..hw_driver.protocols.scrub import scrub

#: Where the secret is kept that identities of lines are made with. A copy of the database has the same.
KEPT_AS = "pos_card_terminal.bank_line_secret"
#: Shorter account numbers fit too many accounts.
SHORTEST_NUMBER = 6


class CardStatementImport(models.TransientModel):
    _name = "card.statement.import"
    _description = "Import of Bank Statements"
    _inherit = ["card.company.mixin"]

    attachment_ids = fields.Many2many("ir.attachment", string="Files", required=True)
    journal_id = fields.Many2one(
        "account.journal",
        "Bank Account",
        domain="[('type', '=', 'bank')]",
        check_company=True,
        help="Empty: found by the account number in the file.",
    )
    contract_id = fields.Many2one(
        "card.contract", check_company=True, help="For CSV: its mapping says what the columns hold."
    )
    leave_out_others = fields.Boolean(
        "Leave Out Other Accounts", help="A file may tell of accounts that are not kept here."
    )
    statement_ids = fields.Many2many("account.bank.statement", string="Statements", readonly=True)
    added = fields.Integer("Lines Added", readonly=True, copy=False)
    known = fields.Integer("Lines There Already", readonly=True, copy=False)
    evidence = fields.Integer("Lines with Details", readonly=True, copy=False)
    warnings = fields.Text(readonly=True)
    state = fields.Selection([("choose", "Choose"), ("done", "Done")], default="choose", readonly=True)

    def action_import(self):
        """Import the files, all or nothing, and say what came of it."""
        self.ensure_one()
        self.env["account.bank.statement"].check_access("create")
        if not self.attachment_ids:
            raise UserError(self.env._("Choose a file first."))
        warnings = []
        for attachment in self.attachment_ids:
            for statements in self._read(attachment):
                self._import_file(statements, attachment, warnings)
        self._forget_cards(warnings)
        self.write({"state": "done", "warnings": "\n".join(dict.fromkeys(map(str, warnings)))})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Imported"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_view_lines(self):
        """Show what was added."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bank Lines"),
            "res_model": "account.bank.statement.line",
            "view_mode": "list",
            "views": [(self.env.ref("pos_card_terminal.view_card_statement_line_list").id, "list")],
            "domain": [("statement_id", "in", self.statement_ids.ids)],
        }

    def _forget_cards(self, warnings):
        """Keep no file with a card number in it; its lines are there, without."""
        for attachment in self.attachment_ids.filtered(lambda file: holds_cards(file.raw or b"")):
            warnings.append(
                self.env._("%s holds a card number: the lines were imported, the file is not kept.", attachment.name)
            )
            attachment.unlink()

    def _read(self, attachment):
        try:
            return reader.files(attachment.raw or b"", self._mapping())
        except BankFileError as error:
            raise UserError(
                self.env._("%(file)s: %(why)s", file=attachment.name, why=self.env._(error.text))
            ) from error

    def _mapping(self):
        mapping = self.contract_id.csv_mapping_ids[:1]
        if not mapping:
            return None
        journal = self.journal_id or self.contract_id.bank_journal_id
        if not journal:
            raise UserError(
                self.env._("Say first to which bank account %s pays: its contract names none.", self.contract_id.name)
            )
        return mapping._mapping(_number_of(journal) or journal.code, _currency_of(journal).name)

    def _import_file(self, statements, attachment, warnings):
        seen, secret = Counter(), self._secret()
        for statement in statements:
            journal = self._journal_of(statement, attachment.name)
            if not journal:
                warnings.append(self.env._("Account %s was left out: no journal has it.", statement.account))
                continue
            journal.lock_for_update(allow_referencing=True)  # two imports at once would both find a line new
            warnings += [self.env._(warning) for warning in statement.warnings]
            lines = [
                (key, replace(line, reference=hide_cards(line.reference, secret)))
                for key, line in keys(statement, seen, secret)
            ]
            if statement.evidence:
                self._keep_evidence(journal, lines, warnings)
            else:
                self._import_statement(journal, statement, lines, attachment, warnings)

    @api.model
    def _secret(self):
        """Return the secret that identities of lines are made with; made at installation.

        Where it is missing, the first import makes it. Of two at once the second waits, and is told by PostgreSQL to
        begin anew, as Odoo then does: it finds the other's.
        """
        kept = "SELECT value FROM ir_config_parameter WHERE key = %s"
        self.env["ir.config_parameter"].flush_model()
        self.env.cr.execute(kept, [KEPT_AS])
        if not (found := self.env.cr.fetchone()):
            self.env.cr.execute(
                """
                INSERT INTO ir_config_parameter (key, value, create_uid, create_date, write_uid, write_date)
                VALUES (%(key)s, %(value)s, %(user)s, now() AT TIME ZONE 'UTC', %(user)s, now() AT TIME ZONE 'UTC')
                    ON CONFLICT (key) DO NOTHING
                """,
                {"key": KEPT_AS, "value": token_hex(32), "user": self.env.uid},
            )
            self.env.cr.execute(kept, [KEPT_AS])
            found = self.env.cr.fetchone()
        return bytes.fromhex(found[0])

    # Which account ----------------------------------------------------------------------------------------------------

    def _journal_of(self, statement, file_name):
        """Return the journal of a statement's account; empty where it is left out. Raises where it fits none."""
        said = statement.account.replace(" ", "").upper()
        own = self.contract_id.csv_mapping_ids and self.contract_id.bank_journal_id
        among = self.journal_id or self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.company_id.id)]
        )
        fits = among.filtered(lambda journal: _is_account(said, _number_of(journal)))
        if not fits and own and said in (_number_of(own), own.code):
            fits = own  # the mapping was made for it
        if len(fits) != 1:
            if self.leave_out_others and not fits:
                return fits
            raise UserError(self._wrong_account(statement.account, file_name, fits))
        if statement.currency != _currency_of(fits).name:
            raise UserError(
                self.env._(
                    "%(file)s: account %(account)s is in %(said)s there, and in %(kept)s in journal %(journal)s.",
                    file=file_name,
                    account=statement.account,
                    said=statement.currency,
                    kept=_currency_of(fits).name,
                    journal=fits.name,
                )
            )
        return fits

    def _wrong_account(self, account, file_name, fits):
        if fits:
            return self.env._(
                "%(file)s: several journals have account %(account)s: choose one.", file=file_name, account=account
            )
        if self.journal_id:
            return self.env._(
                "%(file)s is for account %(account)s. Journal %(journal)s has %(number)s.",
                file=file_name,
                account=account,
                journal=self.journal_id.name,
                number=_number_of(self.journal_id) or self.env._("no account number: enter it there first"),
            )
        return self.env._(
            "%(file)s is for account %(account)s, and no bank journal of %(company)s has it. Enter the number in the "
            "journal of that account.",
            file=file_name,
            account=account,
            company=self.company_id.name,
        )

    # Its lines --------------------------------------------------------------------------------------------------------

    def _import_statement(self, journal, statement, lines, attachment, warnings):
        new = self._new_lines(journal, lines)
        self.known += len(lines) - len(new)
        if not new:
            return
        self._refuse_locked(journal, new, attachment.name)
        currency = _currency_of(journal)
        values = {
            "name": " ".join(filter(None, (journal.code, statement.name or attachment.name))),
            "reference": attachment.name,
            "line_ids": [(0, 0, self._line_values(journal, line)) for _key, line in new],
            "attachment_ids": [(4, attachment.id)],
        }
        if statement.closing is not None:
            start = statement.closing - sum(line.amount for _key, line in new)
            values["balance_start"] = _amount(start, currency)
            values["balance_end_real"] = _amount(statement.closing, currency)
        created = self.env["account.bank.statement"].create(values)
        for bank_line, (key, line) in zip(created.line_ids.sorted("id"), new, strict=True):
            bank_line._write_guarded(self._facts(key, line, currency))
        if statement.closing is not None and not created.is_valid:
            warnings.append(
                self.env._(
                    "%(name)s does not begin where the statement before it ends: one between them is missing.",
                    name=created.name,
                )
            )
        self.statement_ids = [(4, created.id)]
        self.added += len(new)

    def _new_lines(self, journal, lines):
        """Return the lines that are not there yet. One that another importer brought gets its key."""
        bank_lines = self.env["account.bank.statement.line"]
        there = bank_lines.search(
            [("journal_id", "=", journal.id), ("card_import_key", "in", [key for key, _ in lines])]
        )
        known = set(there.mapped("card_import_key"))
        new = [(key, line) for key, line in lines if key not in known]
        foreign = bank_lines.search(
            [
                ("journal_id", "=", journal.id),
                ("card_import_key", "=", False),
                ("date", "in", list({line.booked for _key, line in new})),
            ],
            order="id",
        )
        currency = _currency_of(journal)
        waiting = {}
        for line in foreign:
            waiting.setdefault((line.date, _minor(line.amount, currency)), []).append(line)
        still_new = []
        for key, line in new:
            if same := waiting.get((line.booked, line.amount)):
                same.pop(0)._write_guarded(self._facts(key, line, currency))
            elif parts := _taken_apart(line, waiting):
                facts = self._facts(key, line, currency) | {"card_gross": 0, "card_charges": 0, "card_details": False}
                for place, part in enumerate(parts):
                    part._write_guarded({**facts, "card_import_key": f"{key}/{place}" if place else key})
            else:
                still_new.append((key, line))
        return still_new

    def _refuse_locked(self, journal, lines, file_name):
        """Refuse dates that the books are closed over: Odoo would move such lines to another date."""
        for _key, line in lines:
            if journal.company_id._get_violated_lock_dates(line.booked, False, journal):
                raise UserError(
                    self.env._(
                        "%(file)s, line %(place)s: the books are closed over %(date)s. Nothing was imported.",
                        file=file_name,
                        place=line.place,
                        date=line.booked,
                    )
                )

    def _line_values(self, journal, line):
        return {
            "journal_id": journal.id,
            "date": line.booked,
            "payment_ref": scrub(line.label) or scrub(line.reference) or "/",
            "amount": _amount(line.amount, _currency_of(journal)),
            **self._foreign_values(line),
        }

    def _foreign_values(self, line):
        """Return what was paid in another currency, where the bank says it and Odoo keeps that currency."""
        name, minor = line.foreign or ("", 0)
        currency = self.env["res.currency"].search([("name", "=", name)]) if name else None
        return {"foreign_currency_id": currency.id, "amount_currency": _amount(minor, currency)} if currency else {}

    def _facts(self, key, line, currency):
        """Return what a bank line keeps of the file beyond what Odoo does."""
        kept = -sum(charge.amount for charge in line.charges if charge.included)
        gross = line.gross if line.gross is not None else (line.amount + kept if kept else 0)
        return {
            "card_import_key": key,
            "card_reference": line.reference,
            "card_code": line.code,
            "card_batch_reference": scrub(line.batch),
            "card_gross": _amount(gross, currency),
            "card_charges": _amount(kept, currency),
            "card_details": _details(line),
        }

    def _keep_evidence(self, journal, lines, warnings):
        evidence = self.env["card.bank.evidence"].sudo()  # written by nobody else
        for key, line in lines:
            if not line.reference:
                warnings.append(
                    self.env._("Line %s has no reference of the bank: nothing can be told by it.", line.place)
                )
            elif not evidence.search_count([("journal_id", "=", journal.id), ("key", "=", key)]):
                evidence.create({
                    "journal_id": journal.id,
                    "currency_id": _currency_of(journal).id,
                    "reference": line.reference,
                    "key": key,
                    "date": line.booked,
                    "amount": _amount(line.amount, _currency_of(journal)),
                    "label": scrub(line.label),
                    "details": _details(line),
                })  # fmt: skip
                self.evidence += 1


def _taken_apart(line, waiting):
    """Return the bank lines that another importer made of this one, one for each transaction in it; [] where not all
    are there."""
    amounts = Counter(detail.amount for detail in line.details)
    whole = len(line.details) > 1 and sum(detail.amount for detail in line.details) == line.amount
    if not whole or any(len(waiting.get((line.booked, amount), ())) < count for amount, count in amounts.items()):
        return []
    return [waiting[line.booked, amount].pop(0) for amount in amounts.elements()]


def _details(line):
    """Return what a line is made of, amounts in minor units, as JSON keeps it."""
    found = {"count": line.count, "valued": line.valued and line.valued.isoformat(), "reversal": line.reversal}
    parts = [
        {**asdict(detail), "reference": scrub(detail.reference), "text": scrub(detail.text)} for detail in line.details
    ]
    return {**{name: said for name, said in found.items() if said}, **({"parts": parts} if parts else {})} or False


def _amount(minor, currency):
    """Return an amount of a file: its minor units are those of ISO 4217, whatever Odoo rounds the currency to."""
    return float(Decimal(minor).scaleb(-decimals(currency.name)))


def _minor(amount, currency):
    return round(Decimal(repr(amount)).scaleb(decimals(currency.name)))


def _currency_of(journal):
    return journal.currency_id or journal.company_id.currency_id


def _number_of(journal):
    return (journal.bank_account_id.sanitized_acc_number or "").upper()


def _is_account(said, number):
    """Tell whether a file's account is the one with this number: an IBAN, or its national part without check digits."""
    if not number or len(said) < SHORTEST_NUMBER:
        return False
    return said == number or (number[:2].isalpha() and number[4:].startswith(said)) or number.endswith(said)
