"""Every way into the addon and who may use it: tests/test_routes.py compares these tables with what there is."""

from typing import NamedTuple

ADDON = "odoo.addons.pos_card_terminal"
EVERYBODY = "nobody cashier accountant manager stranger"


class Route(NamedTuple):
    """A route: its settings, a call of it, and what each caller gets; who is not named gets `refused`."""

    auth: str
    methods: tuple
    csrf: bool
    call: tuple  # method, path (with {driver}), body
    answers: dict
    refused: tuple
    type: str = "http"


ROUTES = {
    "/card_terminal/v1/events": Route(
        "public", ("POST",), False, ("POST", "/card_terminal/v1/events", {}), {}, (401,)
    ),
    "/card_terminal/v1/pair": Route(
        "public", ("POST",), False, ("POST", "/card_terminal/v1/pair", {"code": "WRONG-CODE"}), {}, (403,)
    ),
    "/card_terminal/v1/relay": Route(
        "public", ("POST",), False, ("POST", "/card_terminal/v1/relay", {}), {}, (401,)
    ),
    # the driver's package: free software, no secret in it
    "/card_terminal/driver/<string:name>": Route(
        "public", ("GET",), True, ("GET", "/card_terminal/driver/card-terminal.pyz", None), {}, (200,)
    ),
    "/card_terminal/driver/<model('card.terminal.driver'):driver>/driver.toml": Route(
        "user", ("GET",), True, ("GET", "/card_terminal/driver/{driver}/driver.toml", None), {"manager": (200,)},
        (303, 403, 404),
    ),
}  # fmt: skip


class Method(NamedTuple):
    """Who may call a method, and arguments with which it can be tried."""

    who: str
    arguments: tuple = ()
    context: dict = {}


#: (model, method): what the addon defines and RPC can reach, ORM methods apart (see ACCESS).
METHODS = {
    ("card.notice", "action_accept_identity"): Method("manager"),
    ("card.terminal", "action_accept_identity"): Method("manager"),
    ("card.notice", "action_seen"): Method("manager"),
    ("card.notice", "action_done"): Method("manager"),
    ("card.notice", "action_open_record"): Method("manager"),
    ("card.notice.done", "action_done"): Method("manager"),
    ("card.accounts", "action_confirm"): Method("accountant"),
    ("card.batch", "action_close"): Method("accountant"),
    ("card.batch", "action_sheet"): Method("accountant"),
    ("card.ledger.export", "action_export"): Method("accountant"),
    **{
        ("card.dashboard", f"action_{name}"): Method("accountant")
        for name in ("open_items", "late_items", "expected", "fees", "differences", "missing", "exceptions", "payouts")
    },
    ("card.open.item", "action_open_move"): Method("accountant"),
    ("card.open.item.at", "action_show"): Method("accountant"),
    ("card.batch.ticket", "action_enter"): Method("accountant"),
    ("card.chargeback", "action_receive"): Method("accountant"),
    ("card.chargeback", "action_contest"): Method("accountant"),
    ("card.chargeback", "action_win"): Method("accountant"),
    ("card.chargeback", "action_lose"): Method("accountant"),
    ("card.fee", "action_book"): Method("accountant"),
    ("card.fee.accrual", "action_book"): Method("accountant"),
    ("card.take.over", "action_take_over"): Method("accountant"),
    ("card.decision", "action_decide"): Method("manager"),
    ("card.match", "action_accept"): Method("accountant"),
    ("card.match", "action_find"): Method("accountant"),
    ("card.match", "action_post"): Method("accountant"),
    ("card.match", "action_reject"): Method("accountant"),
    ("card.match", "action_undo"): Method("accountant"),
    ("card.match", "post_some"): Method("accountant"),
    ("card.match", "action_stop_posting"): Method("accountant"),
    ("card.contract", "find_some"): Method("accountant"),
    ("card.match.manual", "action_accept"): Method("accountant"),
    ("card.statement.import", "action_import"): Method("accountant"),
    ("card.statement.import", "action_view_lines"): Method(EVERYBODY),  # opens a window
    ("card.driver.connect", "action_check"): Method(EVERYBODY),  # opens the same window again
    ("card.driver.connect", "action_done"): Method("manager"),
    ("card.driver.replace", "action_replace"): Method("manager"),
    # open a window, decide nothing
    ("card.exception", "action_decide"): Method("cashier accountant manager", (), {"card_action": "not_paid"}),
    ("card.exception", "action_open_order"): Method("cashier accountant manager"),
    ("card.exception", "action_open_subject"): Method("cashier accountant manager"),
    ("card.exception.acknowledge", "action_acknowledge"): Method("manager"),
    ("card.terminal.answer", "action_settle"): Method("cashier accountant manager"),  # opens a dialog
    ("card.terminal.driver", "action_new_key"): Method("manager"),
    ("card.terminal.driver", "action_download_configuration"): Method("manager"),
    ("card.terminal.driver", "action_test_connection"): Method("cashier accountant manager"),
    ("card.terminal.driver", "action_clear_alarm"): Method("manager"),
    ("card.terminal.driver", "action_connect"): Method("manager"),
    ("card.terminal.driver", "action_retire"): Method("manager"),
    ("card.terminal.driver", "action_revoke"): Method("manager"),
    ("card.terminal.driver", "action_rotate_key"): Method("manager"),
    ("card.terminal.driver", "action_use_reported_url"): Method("manager"),
    **{
        ("card.terminal", f"action_{what}"): Method("manager")
        for what in ("identify", "totals", "diagnose", "initialise")
    },
    ("card.terminal", "action_settle"): Method("manager"),
    ("card.terminal", "action_view_settlements"): Method(EVERYBODY),  # opens a window
    ("card.timeline.export", "action_export"): Method("accountant manager"),
    ("card.transaction", "action_settle"): Method(EVERYBODY),  # open a window, read nothing
    ("card.transaction", "action_acknowledge"): Method(EVERYBODY),
    ("card.transaction.export", "action_export"): Method("accountant manager stranger"),
    ("card.transaction.settle", "action_settle"): Method("manager"),
    ("pos.payment", "action_card_settle"): Method("manager"),
    ("pos.payment", "action_card_acknowledge"): Method(EVERYBODY),
    ("pos.order", "action_view_card_transactions"): Method("cashier manager"),
    ("pos.config", "action_card_connect"): Method("manager"),
    ("pos.session", "action_view_card_exceptions"): Method(EVERYBODY),
    ("pos.session", "card_terminal_decide"): Method("cashier manager", ({"action": "force_done"},)),  # asks for a PIN
    ("pos.session", "card_terminal_exceptions"): Method("cashier manager"),
    ("pos.session", "card_terminal_managers"): Method("cashier manager"),
    ("pos.session", "card_terminal_relay"): Method("cashier manager", ({},)),
    ("res.config.settings", "action_card_connect"): Method("manager"),
    ("pos.session", "action_view_card_transactions"): Method(EVERYBODY),
    ("pos.session", "card_terminal_grants"): Method("cashier manager"),
    ("pos.session", "card_terminal_refund_grant"): Method("cashier manager", ({},)),
    ("pos.session", "card_terminal_merchant_slip"): Method("cashier manager", ({},)),
    ("pos.session", "card_terminal_settlement"): Method("cashier manager", ({},)),
    ("pos.session", "card_terminal_settlement_grant"): Method("cashier manager", ({},)),
    ("pos.session", "card_terminal_settlement_totals"): Method("cashier manager", ({},)),
    ("pos.session", "card_terminal_transactions"): Method("cashier manager", ({"uuids": []},)),
    ("pos.session", "card_terminal_answer"): Method("cashier manager", ({"answer": "x"},)),
}
#: Methods of Odoo that the addon extends; who may call them is Odoo's and is tested with what they guard.
EXTENDED = {
    *(
        (model, "export_data")
        for model in (
            "card.export.mixin",
            "card.batch",
            "card.chargeback",
            "card.fee",
            "card.notice",
            "card.fee.report",
            "card.open.item",
            "card.terminal.answer",
            "card.terminal.settlement",
            "card.transaction",
            "card.transaction.event",
        )
    ),
    ("account.move", "button_cancel"),
    ("account.move", "button_draft"),
    ("account.payment", "action_cancel"),
    ("account.payment", "action_draft"),
    ("pos.session", "action_pos_session_closing_control"),
    ("pos.session", "get_closing_control_data"),
    ("pos.order", "remove_from_ui"),
    ("pos.order", "sync_from_ui"),
}
ORM = {"create", "write", "unlink", "copy", "copy_data", "default_get", "init", "web_read", "read", "search_fetch"}

#: What a dialog is opened about.
DIALOGS = {
    "card.match.manual": lambda case: {
        "company_id": case.company.id,
        "contract_id": case.records()["card.contract"].id,
        "reason": "x",
    },
    "card.statement.import": lambda case: {"company_id": case.company.id},
    "card.batch.ticket": lambda case: {"batch_id": case.records()["card.batch"].id},
    "card.ledger.export": lambda case: {"date_from": "2020-01-01", "company_ids": [(6, 0, case.company.ids)]},
    "card.open.item.at": lambda case: {"date": "2026-01-01"},
    "card.fee.accrual": lambda case: {"company_id": case.company.id},
    "card.take.over": lambda case: {
        "contract_id": case.records()["card.contract"].id,
        "account_id": case.outstanding_bank.id,
    },
    "card.accounts": lambda case: {"company_id": case.company.id, "name": "Cards"},
    "card.timeline.export": lambda case: {"transaction_id": case.loose.id},
    "card.decision": lambda case: {"action": "not_paid", "transaction_id": case.loose.id, "reason": "x"},
    "card.driver.connect": lambda case: {"driver_id": case.driver.id},
    "card.driver.replace": lambda case: {"old_id": case.driver.id, "new_id": case.other_driver.id},
    "res.config.settings": lambda case: {"pos_config_id": case.config.id},
    "card.notice.done": lambda case: {"notice_ids": [(6, 0, case.records()["card.notice"].ids)], "reason": "x"},
    "card.exception.acknowledge": lambda case: {"transaction_ids": [(6, 0, case.loose.ids)], "reason": "x"},
    "card.transaction.settle": lambda case: {"transaction_id": case.loose.id, "reason": "x", "verdict": "not_paid"},
    "card.transaction.export": lambda case: {"company_id": case.company.id, "date_from": "2020-01-01"},
}

#: Models of the addon: who reads, who writes, creates and deletes.
ACCESS = {
    "card.approval": ("manager accountant", ""),
    "card.batch": ("manager accountant", ""),
    "card.batch.difference": ("manager accountant", ""),
    "card.batch.line": ("manager accountant", ""),
    "card.chargeback": ("manager accountant", "accountant"),
    "card.fee": ("manager accountant", "accountant"),
    "card.bank.evidence": ("manager accountant", ""),
    "card.brand": ("manager accountant", "accountant"),
    "card.csv.mapping": ("manager accountant", "accountant"),
    "card.match": ("manager accountant", ""),
    "card.match.batch": ("manager accountant", ""),
    "card.match.line": ("manager accountant", ""),
    "card.contract": ("manager accountant", "accountant"),
    "card.dashboard": ("accountant", ""),
    "card.datev.account": ("accountant", "accountant"),
    "card.fee.report": ("accountant", ""),
    "card.ledger.export": ("accountant", "accountant"),
    "card.open.item": ("accountant", ""),
    "card.open.item.at": ("accountant", "accountant"),
    "card.exception": ("cashier manager accountant", ""),
    "card.notice": ("manager", ""),
    "card.terminal": ("cashier manager accountant", "manager"),
    "card.terminal.answer": ("cashier manager accountant", ""),
    "card.terminal.driver": ("cashier manager accountant", "manager"),
    "card.terminal.grant": ("manager", ""),
    "card.terminal.option": ("cashier manager accountant", "manager"),
    "card.terminal.settlement": ("cashier manager accountant", "manager"),
    "card.terminal.settlement.line": ("cashier manager accountant", "manager"),
    "card.terminal.pairing": ("", ""),
    "card.terminal.pairing.try": ("", ""),
    "card.watch.rule": ("manager", "manager"),
    "card.transaction": ("cashier manager accountant", ""),
    "card.transaction.event": ("manager accountant", ""),
    # dialogs
    "card.accounts": ("accountant", "accountant"),
    "card.accounts.line": ("accountant", "accountant"),
    "card.batch.ticket": ("accountant", "accountant"),
    "card.batch.ticket.line": ("accountant", "accountant"),
    "card.fee.accrual": ("accountant", "accountant"),
    "card.fee.accrual.line": ("accountant", "accountant"),
    "card.take.over": ("accountant", "accountant"),
    "card.decision": ("manager", "manager"),
    "card.match.manual": ("accountant", "accountant"),
    "card.statement.import": ("accountant", "accountant"),
    "card.driver.connect": ("manager", "manager"),
    "card.driver.replace": ("manager", "manager"),
    "card.exception.acknowledge": ("manager", "manager"),
    "card.notice.done": ("manager", "manager"),
    "card.timeline.export": ("manager accountant", "manager accountant"),
    "card.transaction.export": ("manager accountant", "manager accountant"),
    "card.transaction.settle": ("manager", "manager"),
}
#: Fields of the addon whose name sounds like a secret and which are none.
NO_SECRETS = {
    "account.bank.statement.line.card_import_key",  # of the line in the bank's files
    "card.bank.evidence.key",
    "res.users.card_approval_pin",  # written only: what is read is empty
    "card.terminal.driver.last_hash",  # of the event chain
    "card.transaction.event.hash",
}
SOUNDS_SECRET = ("key", "secret", "pin", "token", "hash", "password", "private")
