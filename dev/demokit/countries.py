"""The shops of the demo, one per country: company, products with their VAT, accounts, and the words of its till."""

from __future__ import annotations

from dataclasses import dataclass

from demokit.client import OdooClient
from demokit.till import ENGLISH, Words

Product = tuple[str, str, float, float]
"""Name, category, price with VAT, VAT in per cent."""


@dataclass(frozen=True, slots=True)
class Country:
    """A shop's country. `charts` are the accounts to choose from, by their word on the command line, the usual first;
    none: those of the database. `tax_name` is the pattern of the names of the VAT on goods. Prices include VAT.
    """

    code: str
    company: dict[str, str]
    till: str
    cash: str
    card: str
    categories: dict[str, int]
    products: tuple[Product, ...]
    basket: tuple[str, ...]
    tax_name: str
    charts: dict[str, str]
    language: str
    words: Words

    def settle_in(self, client: OdooClient, chart: str) -> None:
        """Move the company there, with its accounts and its language."""
        company = client.id_of("res.company", [])
        country = client.id_of("res.country", [("code", "=", self.code.upper())])
        client.write("res.company", [company], {**self.company, "country_id": country})
        if self.charts:
            client.call("account.chart.template", "try_loading", [], self.charts[chart], company)

    def tax(self, client: OdooClient, rate: float) -> int:
        """The chart's VAT on goods; most are inactive at first, and some come on top of the price."""
        name = ("name", "=like", self.tax_name.format(rate=rate))
        wanted = [("amount", "=", rate), ("type_tax_use", "=", "sale"), ("active", "in", [True, False]), name]
        found = client.call("account.tax", "search", wanted, limit=1)
        client.write("account.tax", found, {"active": True, "price_include_override": "tax_included"})
        return int(found[0])

    def make_contract(self, client: OdooClient) -> None:
        """One contract for all cards, with the accounts that Odoo offers for this chart."""
        known = [("module", "=", "pos_card_terminal"), ("name", "=", "group_card_settlement")]
        found = client.one("ir.model.data", known, ["res_id"])
        client.write("res.users", [client.uid], {"group_ids": [(4, found["res_id"])]})
        bank = client.id_of("account.journal", [("type", "=", "bank")])
        offer = {"name": self.card, "takes_others": True, "bank_journal_id": bank}
        client.call("card.accounts", "action_confirm", [client.create("card.accounts", offer)])

    def speak(self, client: OdooClient) -> None:
        """Let the shop's people read their own language from now on."""
        if self.language == "en_US":
            return
        language = client.call("res.lang", "search", [("code", "=", self.language), ("active", "in", [True, False])])
        wizard = client.create("base.language.install", {"lang_ids": [(6, 0, language)], "overwrite": False})
        client.call("base.language.install", "lang_install", [wizard])
        client.write("res.users", [client.uid], {"lang": self.language})


FRANCE = Country(
    code="fr",
    company={
        "name": "Demo shop",
        "street": "1 place du Marché",
        "zip": "75001",
        "city": "Paris",
        "phone": "+33 1 99 00 00 00",
    },
    till="Counter",
    cash="Cash",
    card="Card",
    categories={"Bakery": 3, "Pastry": 9, "Groceries": 10, "House": 4},
    products=(
        ("Baguette", "Bakery", 1.20, 5.5),
        ("Country bread", "Bakery", 3.40, 5.5),
        ("Croissant", "Bakery", 1.30, 5.5),
        ("Lemon tart", "Pastry", 4.20, 5.5),
        ("Chocolate éclair", "Pastry", 3.60, 5.5),
        ("Macarons, box of 6", "Pastry", 9.90, 5.5),
        ("Honey 500 g", "Groceries", 8.60, 5.5),
        ("Olive oil 75 cl", "Groceries", 12.40, 5.5),
        ("Coffee beans 250 g", "Groceries", 7.90, 5.5),
        ("Orange juice", "Groceries", 3.10, 5.5),
        ("Tea towel", "House", 9.00, 20.0),
        ("Gift basket", "House", 39.00, 20.0),
    ),
    basket=("Olive oil 75 cl", "Honey 500 g", "Baguette"),
    tax_name="%G INC%",
    charts={},
    language="en_US",
    words=ENGLISH,
)
GERMANY = Country(
    code="de",
    company={
        "name": "Demoladen",
        "street": "Marktplatz 1",
        "zip": "10115",
        "city": "Berlin",
        "phone": "+49 30 23125 000",
    },
    till="Theke",
    cash="Bar",
    card="Karte",
    categories={"Backwaren": 3, "Kuchen": 9, "Lebensmittel": 10, "Haushalt": 4},
    products=(
        ("Brezel", "Backwaren", 1.10, 7.0),
        ("Roggenbrot", "Backwaren", 4.60, 7.0),
        ("Mohnbrötchen", "Backwaren", 0.75, 7.0),
        ("Käsekuchen, Stück", "Kuchen", 3.90, 7.0),
        ("Bienenstich, Stück", "Kuchen", 3.60, 7.0),
        ("Lebkuchen, 6 Stück", "Kuchen", 8.90, 7.0),
        ("Honig 500 g", "Lebensmittel", 8.60, 7.0),
        ("Rapsöl 75 cl", "Lebensmittel", 12.40, 7.0),
        ("Kaffeebohnen 250 g", "Lebensmittel", 7.90, 7.0),
        ("Apfelsaft", "Lebensmittel", 3.10, 19.0),
        ("Geschirrtuch", "Haushalt", 9.00, 19.0),
        ("Geschenkkorb", "Haushalt", 39.00, 19.0),
    ),
    basket=("Rapsöl 75 cl", "Honig 500 g", "Geschirrtuch"),
    tax_name="{rate:g}\\%",
    charts={"skr03": "de_skr03", "skr04": "de_skr04"},
    language="de_DE",
    words=Words(card="Karte", close_register="Kasse schließen"),
)
COUNTRIES = {country.code: country for country in (FRANCE, GERMANY)}
