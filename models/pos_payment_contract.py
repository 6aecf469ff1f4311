from odoo import fields, models


class PosPayment(models.Model):
    _inherit = "pos.payment"

    card_contract_id = fields.Many2one(
        "card.contract",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        help="Under which contract the money comes, by what the terminal said.",
    )

    def _fill_from_card_transaction(self):
        super()._fill_from_card_transaction()
        self._find_card_contract()

    def _find_card_contract(self):
        """Write down the contracts of these payments, except where the books have been closed over them."""
        for company, payments in self.grouped("company_id").items():
            contracts = self.env["card.contract"]._of_company(company)
            for payment in payments.filtered(lambda line: line.session_id.state != "closed"):
                transaction = payment.sudo().card_transaction_id
                contract = payment.payment_method_id._is_card_terminal() and contracts._fitting(
                    payment.payment_method_id,
                    payment.card_terminal_id,
                    transaction.contract,
                    transaction.brand or payment.card_brand,
                )
                if payment.card_contract_id != (contract or contracts.browse()):
                    payment._write_card_evidence({"card_contract_id": contract and contract.id})
