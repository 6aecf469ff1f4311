"""One e-mail over what needs a person, as often as the company says; none where nothing does."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import formatLang

from .card_money import from_minor, to_minor

#: Exceptions named one by one; the rest are counted.
NAMED = 20
#: From this hour on, by the company's clock.
MORNING = 6
DAYS = {"daily": 1, "weekly": 7}


class ResCompany(models.Model):
    _inherit = "res.company"

    card_digest = fields.Selection(
        [("never", "Never"), ("daily", "Each morning"), ("weekly", "Each week")],
        "E-mail of Card Exceptions",
        required=True,
        default="never",
        help="What needs a person: exceptions, batches that differ, missing ends of day, money that is late.",
    )
    card_digest_user_ids = fields.Many2many(
        "res.users",
        "res_company_card_digest_user_rel",
        string="Who Gets It",
        help="Accountants and administrators of the company; nobody named: nobody gets it.",
    )
    card_digest_sent_on = fields.Date("Last Sent", readonly=True)

    @api.model
    def _cron_card_digest(self):
        """Send the e-mails that are due (cron)."""
        for company in self.sudo().search([("card_digest", "!=", "never")]):
            zoned = company.with_context(tz=company.partner_id.tz or "UTC")
            now = fields.Datetime.context_timestamp(zoned, fields.Datetime.now())
            last = company.card_digest_sent_on
            due = not last or last <= now.date() - timedelta(days=DAYS[company.card_digest])
            if due and now.hour >= MORNING:
                company._send_card_digest()
                company.card_digest_sent_on = now.date()

    def _card_digest_readers(self):
        """Return who gets it: named, active, of this company, with an address, and allowed to read it."""
        self.ensure_one()
        return self.card_digest_user_ids.filtered(
            lambda user: (
                user.active
                and user.email
                and self in user.company_ids
                and user.has_group("pos_card_terminal.group_card_transaction_accountant")
            )
        )

    def _send_card_digest(self):
        """Mail each reader, in the reader's language, what needs a person; return the mails."""
        self.ensure_one()
        template = self.env.ref("pos_card_terminal.mail_template_card_digest")
        mails = self.env["mail.mail"]
        for reader in self._card_digest_readers():
            company = self.with_context(lang=reader.lang, allowed_company_ids=self.ids)
            digest = company._card_digest()
            if digest["rows"]:
                values = {"email_to": reader.email_formatted, "recipient_ids": []}
                sent = template.with_context(lang=reader.lang, card_digest=digest).send_mail(
                    self.id, email_values=values
                )
                mails |= self.env["mail.mail"].browse(sent)
        return mails

    def _card_digest(self):
        """Return {rows: [(what, how many or how much)], exceptions: [(since, what, amount, text)], more}."""
        self.ensure_one()
        own = Domain("company_id", "=", self.id)
        exceptions = self.env["card.exception"].search(own, order="since desc")
        batches = self.env["card.batch"]
        differ = batches.search_count(own & self.env["card.dashboard"]._differs())
        missing = len(batches.search(own & Domain("state", "=", "open"))._overdue())
        late = self.env["card.open.item"]._read_group(own & Domain("is_late", "=", True), ["contract_id"], [
            "open_amount:sum"
        ])  # fmt: skip
        rows = [
            (self.env._("Exceptions"), str(len(exceptions))),
            (self.env._("Batches whose totals differ"), str(differ)),
            (self.env._("Ends of day that are missing"), str(missing)),
        ]
        rows = [(what, count) for what, count in rows if count != "0"]
        for contract, amount in late:
            minor = to_minor(amount, self.currency_id)
            if minor:
                what = self.env._("Late money: %s", contract.name or self.env._("without a contract"))
                money = formatLang(self.env, from_minor(minor, self.currency_id), currency_obj=self.currency_id)
                rows.append((what, money))
        kinds = dict(self.env["card.exception"]._fields["exception"]._description_selection(self.env))
        named = [
            (
                fields.Datetime.to_string(row.since),
                kinds.get(row.exception, row.exception),
                formatLang(self.env, row.amount, currency_obj=row.currency_id or self.currency_id),
                " ".join(filter(None, [row.terminal_id.name, row.brand, row.order_ref])),
            )
            for row in exceptions[:NAMED]
        ]
        return {"rows": rows, "exceptions": named, "more": max(len(exceptions) - NAMED, 0)}
