"""An accountant's morning in a browser: from the bank's statement to an outstanding account at 0.00, and a file."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

LOGIN = PASSWORD = "card accountant"
IBAN = "FR7630004000031234567890143"
TODAY = datetime.now(UTC).date()
WAITS, FEES = "511599", "627899"
BATCHES = ((6, 980), (4, 410), (3, 410), (2, 250))
"""(days ago, euro): two of the same amount, which one credit cannot tell apart."""
CREDITS = ((5, "980.00"), (2, "410.00"), (1, "400.00"), (0, "250.00"))
"""What the bank pays: 10.00 less than the batch that is left, and nobody told it why."""

STATEMENT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>{today}T05:00:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id><CreDtTm>{today}T05:00:00</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>{first}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{total}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>{today}</Dt></Dt></Bal>{entries}</Stmt></BkToCstmrStmt></Document>"""
ENTRY = """
<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{day}-{amount}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>MCRD</Cd><SubFmlyCd>POSP</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><RmtInf><Ustrd>REMISE CB 5091540 {number}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@pytest.fixture
def statement(tmp_path):
    """The bank's file, CAMT.053."""
    entries = "".join(
        ENTRY.format(amount=amount, day=ago(days), number=f"CREDIT {place}")
        for place, (days, amount) in enumerate(CREDITS, 1)
    )
    total = sum(Decimal(amount) for _days, amount in CREDITS)
    path = tmp_path / "statement.xml"
    path.write_text(STATEMENT.format(today=ago(0), first=ago(7), iban=IBAN, total=total, entries=entries))
    return path


@pytest.fixture
def waiting(shop) -> int:
    """A contract whose account holds what batches of four days collected; return the account."""
    client = shop.client
    known = {
        row["name"]: row["res_id"]
        for row in client.read(
            "ir.model.data",
            [("name", "in", ("group_card_settlement", "group_user")), ("module", "in", ("pos_card_terminal", "base"))],
            ["name", "res_id"],
        )
    }
    groups = [(4, known["group_card_settlement"])]
    client.write("res.users", [client.uid], {"group_ids": groups})
    person = {"name": "Accountant", "login": LOGIN, "password": PASSWORD}
    client.create("res.users", {**person, "group_ids": [(6, 0, list(known.values()))]})
    waits, fees = (
        client.create("account.account", {"code": code, "name": name, "account_type": kind, "reconcile": reconcile})
        for code, name, kind, reconcile in (
            (WAITS, "Cards to collect", "asset_current", True),
            (FEES, "Fees of cards", "expense", False),
        )
    )
    bank = client.create(
        "account.journal", {"name": "Bank of cards", "type": "bank", "code": "BCARD", "bank_acc_number": IBAN}
    )
    contract = {"name": "Live Cards", "number": "5091540", "bank_journal_id": bank, "days_max": 3}
    contract |= {"outstanding_account_id": waits, "fee_account_id": fees}
    contract = client.create("card.contract", contract)
    sales = client.read("account.account", [("account_type", "=", "income")], ["id"])[0]["id"]
    journal = client.read("account.journal", [("type", "=", "general")], ["id"])[0]["id"]
    for days, amount in BATCHES:
        lines = [
            (0, 0, {"account_id": account, "balance": balance, "name": f"Cards of {ago(days)}"})
            for account, balance in ((waits, amount), (sales, -amount))
        ]
        entry = client.create("account.move", {"journal_id": journal, "date": ago(days), "line_ids": lines})
        client.call("account.move", "action_post", [entry])
    taken = client.create("card.take.over", {"contract_id": contract, "account_id": waits})
    client.call("card.take.over", "action_take_over", [taken])
    return waits


@dataclass
class Desk:
    """The accountant before Odoo."""

    page: Page
    url: str

    def log_in(self) -> None:
        self.page.goto(f"{self.url}/web/login")
        self.page.fill("input[name=login]", LOGIN)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        expect(self.page.locator(".o_main_navbar")).to_be_visible()

    def open(self, action: str) -> None:
        self.page.goto(f"{self.url}/odoo/action-pos_card_terminal.{action}")

    def press(self, name: str):
        """Press the button in sight that does this."""
        self.page.locator(f"button[name={name}]:visible").click()

    def row(self, text: str):
        return self.page.locator(".o_data_row", has_text=text)

    def choose(self, *texts: str) -> None:
        """Tick these rows of a list."""
        for text in texts:
            self.row(text).locator(".o_list_record_selector input").check()
        expect(self.page.locator(".o_selection_box")).to_contain_text(str(len(texts)))

    def money(self, open_amount: str, late: str) -> None:
        """Look at the contract on the dashboard."""
        self.open("action_card_dashboard")
        card = self.page.locator(".o_kanban_record", has_text="Live Cards")
        expect(card.locator("[name=open_amount]")).to_contain_text(open_amount)
        expect(card.locator("[name=late_amount]")).to_contain_text(late)
        expect(card.locator("canvas")).to_be_visible()


def test_from_the_statement_to_nothing_open(shop, page, waiting, statement):
    desk = Desk(page, shop.server.url)
    desk.log_in()
    desk.money("2,050.00", "1,390.00")

    desk.open("action_card_statement_import")
    dialog = page.locator(".modal")
    with page.expect_file_chooser() as chooser:
        dialog.locator(".o_field_widget[name=attachment_ids] .o_attach, .o_attach").click()
    chooser.value.set_files(statement)
    expect(dialog.get_by_text("statement.xml")).to_be_visible()
    desk.press("action_import")
    expect(dialog.locator(".o_field_widget[name=added]")).to_have_text("4")
    desk.press("action_view_lines")
    expect(page.locator(".o_data_row")).to_have_count(4)

    desk.open("action_card_match")
    desk.press("action_find")
    expect(page.locator(".o_group_header", has_text="Proposed")).to_contain_text("2")
    expect(page.locator(".o_data_row")).to_have_count(4)
    desk.choose("CREDIT 1", "CREDIT 4")
    desk.press("action_accept")
    expect(page.locator(".o_group_header", has_text="Accepted")).to_contain_text("2")

    one_of_several = page.locator(".o_group_header", has_text="One of several")
    expect(one_of_several).to_contain_text("2")
    page.locator(".o_data_row", has_text="CREDIT 2").first.click()
    expect(page.locator(".o_form_view .alert-warning:visible")).to_contain_text("More than one payout wants these")
    desk.press("action_accept")
    expect(page.locator(".o_arrow_button_current")).to_have_text("Accepted")

    desk.open("action_card_statement_line")
    desk.choose("CREDIT 3")
    page.get_by_role("button", name="Match by Hand").click()
    by_hand = page.locator(".modal", has=page.locator(".modal-title", has_text="Match by Hand"))
    expect(by_hand.locator(".o_field_widget[name=paid]")).to_contain_text("400.00")
    expect(by_hand.locator("[name=contract_id] input")).to_have_value("Live Cards")
    by_hand.locator("[name=batch_ids]").get_by_role("button", name="Add a line").click()
    choice = page.locator(".modal", has=page.locator(".modal-title", has_text="Add: Batches"))
    expect(choice.locator(".o_data_row")).to_have_count(1)
    choice.locator(".o_data_row .o_list_record_selector input").check()
    choice.get_by_role("button", name="Select").click()
    expect(choice).to_be_hidden()
    expect(by_hand.locator(".o_field_widget[name=difference]")).to_contain_text("-10.00")
    by_hand.locator("[name=difference_is] select, [name=difference_is] input").first.click()
    page.get_by_text("A fee", exact=True).click()
    by_hand.locator("[name=reason] input").fill("The bank keeps a fee for its paper")
    desk.press("action_accept")
    expect(page.locator(".o_arrow_button_current")).to_have_text("Accepted")

    desk.open("action_card_match")
    expect(page.locator(".o_group_header", has_text="Accepted")).to_contain_text("4")
    expect(page.locator(".o_data_row")).to_have_count(4)
    page.locator("thead .o_list_record_selector input").check()
    desk.press("action_post")
    expect(page.locator(".o_nocontent_help")).to_be_visible()
    desk.money("0.00", "0.00")
    assert open_on(shop, waiting) == 0
    assert exported(desk) == in_the_ledger(shop)


def open_on(shop, account: int) -> Decimal:
    """What the ledger has open on an account."""
    lines = shop.client.read("account.move.line", [("account_id", "=", account)], ["amount_residual", "parent_state"])
    assert len(lines) == 2 * len(BATCHES)
    return sum(Decimal(str(line["amount_residual"])) for line in lines)


def exported(desk: Desk) -> dict[str, tuple[Decimal, Decimal]]:
    """Take the card journal home as CSV; return what it debits and credits our accounts."""
    desk.open("action_card_ledger_export")
    page = desk.page
    expect(page.locator(".modal")).to_contain_text(WAITS)
    page.locator(".modal .o_field_widget[name=kind] input").click()
    page.get_by_text("Card journal (CSV)", exact=True).click()
    with page.expect_download() as download:
        desk.press("action_export")
    moved: dict[str, tuple[Decimal, Decimal]] = {}
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["Account"] in (WAITS, FEES):
                debit, credit = moved.get(row["Account"], (Decimal(0), Decimal(0)))
                moved[row["Account"]] = debit + Decimal(row["Debit"]), credit + Decimal(row["Credit"])
    return moved


def in_the_ledger(shop) -> dict[str, tuple[Decimal, Decimal]]:
    """What the ledger debits and credits our accounts this month, posted."""
    client = shop.client
    codes = {
        row["id"]: row["code"] for row in client.read("account.account", [("code", "in", (WAITS, FEES))], ["code"])
    }
    domain = [("account_id", "in", [*codes]), ("parent_state", "=", "posted")]
    domain += [("date", ">=", TODAY.replace(day=1).isoformat())]
    moved: dict[str, tuple[Decimal, Decimal]] = {}
    for line in client.read("account.move.line", domain, ["account_id", "debit", "credit"]):
        code = codes[line["account_id"][0]]
        debit, credit = moved.get(code, (Decimal(0), Decimal(0)))
        moved[code] = debit + Decimal(str(line["debit"])), credit + Decimal(str(line["credit"]))
    assert WAITS in moved
    return moved
