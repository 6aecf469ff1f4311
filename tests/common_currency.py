"""A till in another currency than the company's."""

import uuid

from .common import CardTerminalCase


class OtherCurrencyCase(CardTerminalCase):
    """The till's currency has three decimals and is worth two of the company's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card_pm = cls.bank_pm2
        cls.card_pm.write({"payment_method_type": "terminal", "use_payment_terminal": "card_terminal"})
        cls.config = cls.other_currency_config
        cls.config.card_terminal_id = cls.terminal

    def book(self, quantity):
        """Sell, or take back, coffees by card; return what the till's currency makes of them."""
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        data = self.order_data(order, [], quantity=quantity)
        minor = round(abs(data["amount_total"]) * 10**self.currency.decimal_places)
        transaction = self.ask(order, line, minor, kind="refund" if quantity < 0 else "sale")
        self.approve(transaction, minor)
        self.report()
        booked = self.sync({**data, "payment_ids": [self.card_line(line, transaction, data["amount_total"])]})
        self.assertEqual((booked.state, booked.payment_ids.card_evidence), ("paid", "matched"))
        return data["amount_total"]
