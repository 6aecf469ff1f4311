from odoo import fields, models


class PosPayment(models.Model):
    _inherit = "pos.payment"
    _guarded = frozenset({"card_batch_id"})

    card_contract_id = fields.Many2one(help="Under which contract the money comes, by what the terminal said.")
    card_batch_id = fields.Many2one(
        "card.batch",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        help="With what the terminal sends it off, and the acquirer pays it.",
    )

    def _fill_from_card_transaction(self):
        result = super()._fill_from_card_transaction()
        self._find_card_contract()
        self._enter_card_batches()
        return result

    def _card_approved_at(self):
        """Return when the terminal approved this payment, as far as Odoo knows."""
        self.ensure_one()
        return self.card_transaction_id.ended_at or self.payment_date

    def _enter_card_batches(self):
        """Put payments into the batches of their contracts. One that is in a batch that has ended stays there."""
        batches = self.env["card.batch"].sudo()
        for payment in self.filtered("card_contract_id"):
            there = payment.card_batch_id
            if there.state == "closed":
                continue
            contract, terminal = payment.card_contract_id, payment.card_terminal_id
            if (there.contract_id, there.terminal_id) == (contract, terminal) and there:
                continue
            batch = batches._of(contract, terminal, payment.currency_id, payment._card_approved_at())
            payment._write_guarded({"card_batch_id": batch.id})
            if batch.state == "closed":
                batch._take_late(payment)

    def _find_card_contract(self):
        """Write down the contracts of these payments, except where the books have been closed over them."""
        for company, payments in self.grouped("company_id").items():
            contracts = self.env["card.contract"]._of_company(company)
            counted = payments.filtered(lambda line: line.session_id.state == "closed" or line._card_is_counted())
            for payment in payments - counted:
                transaction = payment.sudo().card_transaction_id
                contract = contracts._fitting(
                    payment.payment_method_id,
                    payment.card_terminal_id,
                    transaction.contract,
                    transaction.brand or payment.card_brand,
                )
                if payment.card_contract_id != contract:
                    payment._write_guarded({"card_contract_id": contract.id})


class PosPaymentMethod(models.Model):
    _inherit = "pos.payment.method"

    def _is_card_routed(self):
        """Return whether contracts say where this method's money waits."""
        self.ensure_one()
        contracts = self.env["card.contract"]._of_company(self.company_id)
        return bool(contracts) and (self._is_card_terminal() or self in contracts.payment_method_ids)
