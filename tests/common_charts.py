"""A shop on a real chart of accounts, whose contracts take the accounts that the chart offers."""

from .test_batch import BatchCase


class ChartCase(BatchCase):
    """`chart`: whose accounts; prices include the chart's usual VAT, card money comes through its own receivable."""

    chart = "fr"

    @classmethod
    def setUpClass(cls):
        cls.chart_template = cls.chart
        super().setUpClass()

    @classmethod
    def setup_other_currency(cls, code, **kwargs):
        own = cls.env.company.currency_id.name
        return super().setup_other_currency("GBP" if code == own else code, **kwargs)

    @classmethod
    def make_contracts(cls):
        template = cls.env["account.chart.template"].with_company(cls.company)
        data = template._get_chart_template_model_data(cls.chart, "res.company")[cls.company.id]
        cls.card_pm.receivable_account_id = template.ref(data["account_default_pos_receivable_account_id"])
        cls.product.taxes_id = cls.company_data["default_tax_sale"]
        cls.product.taxes_id.price_include_override = "tax_included"
        cls.bank = cls.company_data["default_journal_bank"]
        cls.take_offers()

    @classmethod
    def take_offers(cls):
        """Make the contracts of a test class."""

    @classmethod
    def account(cls, code):
        accounts = cls.env["account.account"].with_company(cls.company)
        return accounts.search([*accounts._check_company_domain(cls.company), ("code", "=", code)])

    @classmethod
    def offered(cls, name, brands, **values):
        """Return a contract on the accounts that the chart offers, confirmed."""
        known = cls.env["card.brand"].search([]).grouped("name")
        brands = [known.get(brand) or cls.env["card.brand"].create({"name": brand}) for brand in brands]
        wizard = cls.env["card.accounts"].create({
            "company_id": cls.company.id,
            "name": name,
            "brand_ids": [(6, 0, [each.id for each in brands])],
            "bank_journal_id": cls.bank.id,
            **values,
        })  # fmt: skip
        wizard.action_confirm()
        return wizard.contract_id

    def rows(self, moves):
        """Return [(account code, debit, credit)] of entries, sorted."""
        lines = moves.line_ids.with_company(self.company)
        return sorted((line.account_id.code, round(line.debit, 2), round(line.credit, 2)) for line in lines)

    def assertEntry(self, moves, *expected):
        """The entries have these (account code, debit, credit) lines and no more."""
        self.assertEqual(
            self.rows(moves), sorted((code, float(debit), float(credit)) for code, debit, credit in expected)
        )

    def movement(self, code):
        """Return what lies on an account, and what of it is open."""
        lines = self.env["account.move.line"].search(
            [("account_id", "=", self.account(code).id), ("parent_state", "=", "posted")]
        )
        return round(sum(lines.mapped("balance")), 2), round(sum(lines.mapped("amount_residual")), 2)

    def bank_line(self, amount, label, date="2026-03-02"):
        """Return a line of the bank's statement."""
        return self.env["account.bank.statement.line"].create(
            {"journal_id": self.bank.id, "amount": amount, "payment_ref": label, "date": date}
        )
