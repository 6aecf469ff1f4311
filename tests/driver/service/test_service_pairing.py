"""What Odoo says of the pairing: a new key, a standing that ends selling, a newer driver. Kept over a restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from odoo_receiver import OdooReceiver
from service_kit import DATABASE, DRIVER, KEY, OTHER_KEY, TerminalProcess, Till, shop, terminal_entry, until

from hw_driver.signing import verify

NEW_KEY = bytes(range(32, 64))
OFFER = {"version": "9.0.0", "minimum": "1.0.0", "apis": [1], "file": "/x.whl", "sha256": "00"}


def wrapped(key: bytes, new: bytes) -> str:
    """Write docs/api.md 2.5 a second time: one block of HMAC-SHA256 over a nonce hides the key."""
    nonce = b"once and only once"
    pad = hmac.new(key, b"new key." + nonce, hashlib.sha256).digest()
    parts = (nonce, bytes(a ^ b for a, b in zip(pad, new, strict=True)))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture
async def odoo() -> AsyncIterator[OdooReceiver]:
    async with OdooReceiver(DRIVER, DATABASE, KEY).open() as odoo:
        yield odoo


async def contact(till: Till, odoo: OdooReceiver, times: int = 2) -> None:
    """Wait for whole exchanges: the first that ends may have begun before."""
    seen = len(odoo.requests) + times
    await until(lambda: len(odoo.requests) >= seen)


async def test_a_new_key_is_used_and_kept(tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver) -> None:
    counter = terminal_entry(terminal.port)
    async with shop(tmp_path, counter, odoo_url=odoo.url) as till:
        await until(lambda: bool(odoo.journals))
        odoo.words = {"new_key": wrapped(KEY, NEW_KEY)}
        odoo.next_key = NEW_KEY
        await until(lambda: odoo.key == NEW_KEY)
        assert (await till.ended(till.sale()))["state"] == "approved", "a till's grant under the old key"
        await until(lambda: len(odoo.events) == till.driver.journal.last)
    kept = json.loads((tmp_path / "pairing.json").read_text())
    assert kept["key"] == NEW_KEY.hex()
    configuration = (tmp_path / "odoo-configuration.signed").read_text()
    assert verify(configuration, lambda kid: NEW_KEY)[1]["drv"] == DRIVER, (
        "signed anew: the old key will not count for ever"
    )
    async with shop(tmp_path, counter, odoo_url=odoo.url, kept=configuration) as till:
        assert till.driver.terminals.get("counter")
        await contact(till, odoo)
        assert odoo.faults == []


async def test_an_odoo_put_back_from_a_copy_is_answered_with_the_key_it_knows(
    tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver
) -> None:
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        odoo.words, odoo.next_key = {"new_key": wrapped(KEY, NEW_KEY)}, NEW_KEY
        await until(lambda: odoo.key == NEW_KEY)
        odoo.words, odoo.next_key, odoo.key = {}, None, KEY  # yesterday's database
        before = len(odoo.requests)
        await until(lambda: len(odoo.requests) > before and till.driver.link is not None and not till.driver.link.error)
        assert (await till.ended(till.sale()))["state"] == "approved"


@pytest.mark.parametrize("state", ["retired", "outdated"])
async def test_a_driver_that_is_not_to_sell_tells_and_refuses(
    tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver, state: str
) -> None:
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        sale = await till.ended(till.sale())
        odoo.words = {"standing": {"state": state, "text": "Because."}, "offer": OFFER}
        await until(lambda: till.driver.refusal is not None)
        refused = await till.put(till.sale())
        assert (refused.status, refused.json["code"], refused.json["money"]) == (409, f"driver_{state}", "safe")
        assert refused.json["detail"] == "Because."
        assert (await till.call("GET", f"/v1/transactions/{sale['uuid']}")).status == 200
        health = (await till.call("GET", "/v1/health")).json
        assert (health["status"], health["odoo"]["standing"], health["odoo"]["offered"]) == (
            "refusing",
            "Because.",
            "9.0.0",
        )
        await until(lambda: len(odoo.events) == till.driver.journal.last)
    odoo.status = 503  # the word of a day ago still counts
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        assert (await till.put(till.sale())).json["code"] == f"driver_{state}"
        odoo.status, odoo.words = 0, {"standing": {"state": "active", "text": ""}}
        await until(lambda: till.driver.refusal is None)
        assert (await till.ended(till.sale()))["state"] == "approved"


async def test_only_the_odoo_it_knows_can_revoke_it(
    tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver
) -> None:
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        await until(lambda: bool(odoo.journals))
        odoo.revoked, odoo.signs_with = True, OTHER_KEY
        await contact(till, odoo)
        assert till.driver.refusal is None, "anybody can say 401"
        odoo.signs_with = b""
        await until(lambda: till.driver.refusal is not None)
        assert (await till.put(till.sale())).json["code"] == "driver_revoked"
        assert till.driver.link
        assert "revoked" in till.driver.link.error
