"""How DSFinV-K classifies a card: ZAHLART_TYP, version 2.2, annex D."""

from odoo import fields, models

#: Debit and credit cards by the words terminals use; what holds one of them, in this order. Others are "Unbar".
KNOWN = (
    ("ECKarte", ("girocard", "electronic cash", "maestro", "v pay", "vpay", "debit", "electron", "bancontact")),
    ("Kreditkarte", ("credit", "visa", "mastercard", "eurocard", "amex", "american express", "diners", "discover",
                     "jcb", "unionpay", "cup")),
    ("Guthabenkarte", ("gift", "geschenk", "prepaid", "edenred", "sodexo", "pluxee", "conecs")),
)  # fmt: skip
OTHER = "Unbar"


class CardBrand(models.Model):
    _inherit = "card.brand"

    dsfinvk_type = fields.Selection(
        [
            ("ECKarte", "Debit card (ECKarte)"),
            ("Kreditkarte", "Credit card (Kreditkarte)"),
            ("ElZahlungsdienstleister", "Payment service (ElZahlungsdienstleister)"),
            ("Guthabenkarte", "Stored value card (Guthabenkarte)"),
            ("Unbar", "Other cashless (Unbar)"),
        ],
        "DSFinV-K Type",
        help="Empty: told by the brand's name; what is not known is Unbar.",
    )


class PosPayment(models.Model):
    _inherit = "pos.payment"

    def _dsfinvk_type(self, brands):
        """Return ZAHLART_TYP of this payment; `brands` {name in small letters: type set by a person}."""
        self.ensure_one()
        brand = (self.card_brand or "").casefold()
        if brands.get(brand):
            return brands[brand]
        said = f"{brand} {self.card_type or ''}".casefold()
        return next((kind for kind, words in KNOWN if any(word in said for word in words)), OTHER)
