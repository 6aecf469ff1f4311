"""What tells of a cardholder is blanked once nobody needs it; amounts, batches and entries stay.

Claims end 13 months after the debit, 15 with deferred debit (CNIL 2018-303): the usual time is 15 months. It is one of
two exceptions to what a batch that has ended keeps, and is logged on it.
"""

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: Blanked on payments and on transactions; with the authorisation where the company says so.
OF_PAYMENT = ("card_no", "cardholder_name", "ticket")
OF_TRANSACTION = ("last4", "receipt", "merchant_receipt")
AUTHORISATION = {"pos.payment": "payment_method_authcode", "card.transaction": "auth_code"}
#: Members of events that tell of the card or print it. The chain's hashes stay; they no longer follow from the content.
OF_EVENT = ("last4", "receipt", "merchant_receipt", "details")
#: Records in one database transaction.
PORTION = 1000


class ResCompany(models.Model):
    _inherit = "res.company"

    card_retention_months = fields.Integer(
        "Keep Card Data for (Months)",
        default=15,
        help="Then last four digits, names and slips are blanked; amounts, batches and entries stay. 0: kept for ever.",
    )
    card_retention_authorisation = fields.Boolean(
        "Blank Authorisations Too", help="Authorisation numbers go as well: a claim can then no longer be found by one."
    )

    def _card_retention_limit(self):
        """Return the moment before which card data is blanked; None where it is kept."""
        self.ensure_one()
        months = self.card_retention_months
        return fields.Datetime.now() - relativedelta(months=months) if months > 0 else None

    @api.model
    def _cron_card_retention(self):
        """Blank what is older than each company says, in portions (cron)."""
        for company in self.sudo().search([("card_retention_months", ">", 0)]):
            limit = company._card_retention_limit()
            while done := company._blank_card_data(limit):
                if not self.env["ir.cron"]._commit_progress(done):
                    return

    def _blank_card_data(self, limit, portion=PORTION):
        """Blank a portion of the payments and transactions from before that moment; return how many there were."""
        self.ensure_one()
        done = 0
        authorisation = AUTHORISATION if self.card_retention_authorisation else {}
        for model, own, told in (
            (
                "pos.payment",
                Domain("payment_date", "<", limit)
                & Domain("pos_order_id.state", "in", ("paid", "done", "invoiced"))
                & Domain("session_id.state", "=", "closed"),
                OF_PAYMENT,
            ),
            (
                "card.transaction",
                Domain("requested_at", "<", limit)
                & Domain("ended_at", "!=", False)
                & Domain("needs_attention", "=", False),
                OF_TRANSACTION,
            ),
        ):
            names = [*told, *filter(None, [authorisation.get(model)])]
            filled = Domain.OR([Domain(name, "!=", False) for name in names])
            domain = Domain("company_id", "=", self.id) & own & filled
            found = self.env[model].sudo().search(domain, limit=portion, order="id")
            found._blank_card_data(names)
            done += len(found)
        return done


class PosPayment(models.Model):
    _inherit = "pos.payment"

    def _blank_card_data(self, names):
        """Blank these fields, also of payments a batch has counted, and log it on their batches."""
        self._write_guarded(dict.fromkeys(names, False))
        for batch, payments in self.grouped("card_batch_id").items():
            if batch:
                batch.sudo().message_post(
                    body=self.env._(
                        "Card data of %(count)s payments was blanked: it is older than %(months)s months. What was "
                        "counted stays.",
                        count=len(payments),
                        months=batch.company_id.card_retention_months,
                    )
                )


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    def _blank_card_data(self, names):
        """Blank these fields of transactions that have ended, and the same in their events."""
        if not self:
            return
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE card_transaction SET %s WHERE id = ANY(%s)",
                SQL(", ").join(SQL("%s = NULL", SQL.identifier(name)) for name in names),
                self.ids,
            )
        )
        members = [*OF_EVENT, *(["auth_code"] if "auth_code" in names else [])]
        self.event_ids.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE card_transaction_event SET body = body - %s::text[] WHERE transaction_id = ANY(%s)",
                members,
                self.ids,
            )
        )
        self.invalidate_recordset()
        self.event_ids.invalidate_recordset()
