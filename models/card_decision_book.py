"""Book an approval that has no order on a new order, in the open session or in a rescue session."""

from odoo import fields, models
from odoo.exceptions import UserError

from .card_money import from_minor, to_minor


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    def _decide_book(self, values):
        product = self.env["product.product"].browse(values.get("product_id")).exists()
        if not product:
            raise UserError(self.env._("Choose the product that was sold."))
        config = self.config_id or self.env["pos.config"].browse(values.get("config_id")).exists()
        if not config or config.company_id != self.company_id or config.currency_id != self.currency_id:
            raise UserError(self.env._("Choose the point of sale that sold it."))
        order = self._new_order(self._session_to_book(config), product)
        self._attach(order)
        return self.env._(
            "Booked on new order %(order)s in session %(session)s.",
            order=order.pos_reference,
            session=order.session_id.name,
        )

    def _session_to_book(self, config):
        """Return the open session of a point of sale; a rescue session where none is open."""
        session = config.session_ids.filtered(lambda record: record.state == "opened").sorted("rescue")[:1]
        if session:
            return session
        session = self.env["pos.session"].create({"config_id": config.id, "rescue": True, "user_id": self.env.uid})
        session.write({
            "name": self.env._("%s (card money without an order)", config.name),
            "state": "opened",
            "start_at": fields.Datetime.now(),
        })  # fmt: skip
        return session

    def _new_order(self, session, product):
        """Return a draft of one line whose total is the approved amount, taxes included."""
        currency = self.currency_id
        signed = self._signed_minor()
        amount = from_minor(abs(signed), currency)
        taxes = self._taxes(session, product)
        exact = taxes.with_context(force_price_include=True).compute_all(amount, currency, 1.0, product=product)
        priced = all(taxes.flatten_taxes_hierarchy().mapped("price_include"))
        quantity = 1 if signed > 0 else -1
        reference, tracking_number = session.config_id._get_next_order_refs()
        order = self.env["pos.order"].create({
            "session_id": session.id,
            "pos_reference": reference,
            "tracking_number": tracking_number,
            "pricelist_id": session.config_id.pricelist_id.id,
            "amount_tax": quantity * (exact["total_included"] - exact["total_excluded"]),
            "amount_total": quantity * exact["total_included"],
            "amount_paid": 0.0,
            "amount_return": 0.0,
            "lines": [(0, 0, {
                "product_id": product.id,
                "full_product_name": product.display_name,
                "qty": quantity,
                "price_unit": amount if priced else exact["total_excluded"],
                "price_subtotal": quantity * exact["total_excluded"],
                "price_subtotal_incl": quantity * exact["total_included"],
                "tax_ids": [(6, 0, taxes.ids)],
            })],
        })  # fmt: skip
        order._compute_prices()
        if to_minor(order.amount_total, currency) != signed:
            raise UserError(
                self.env._(
                    "With the taxes of %(product)s no price gives exactly %(amount)s. Choose another product.",
                    product=product.display_name,
                    amount=currency.format(from_minor(signed, currency)),
                )
            )
        return order

    def _taxes(self, session, product):
        company = session.company_id
        taxes = product.taxes_id._filter_taxes_by_company(company)
        return session.config_id.default_fiscal_position_id.map_tax(taxes)
