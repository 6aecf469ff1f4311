"""Tills, and the people at them: the till keeps its rules, the people press whatever can be pressed.

A till marks its line with the uuid and the journal before it asks (law 12), asks and never repeats a request whose
answer it has not got, and takes the card again only after an end without charge. People press Card twice, on two tills,
with other amounts, after any end, reload, cancel, refund more than was paid, and settle what is unknown by the slip.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hw_driver.clock import iso
from hw_driver.protocols.machine import CardTerminalError

from .clockwork import BEGINNING
from .process import Gone
from .trouble import AFTER_IT_ENDED, USUAL_AMOUNT, WHILE_IT_RUNS

if TYPE_CHECKING:
    from .shop import Shop

WITHOUT_CHARGE = ("declined", "cancelled", "failed")
ENDED = (*WITHOUT_CHARGE, "approved", "settled_by_hand")
#: How long a till waits before it asks again whether a gone driver is back.
ASK_AGAIN = 5.0
#: How many times a till asks a driver that does not answer before the cashier calls for somebody.
PATIENCE = 40


class Till:
    """One point of sale with its cashier and its queue."""

    def __init__(self, shop: Shop, name: str, chance: random.Random) -> None:
        self.shop = shop
        self.name = name
        self.chance = chance
        self.terminal = chance.choice(list(shop.boxes))

    async def day(self, sales: int) -> None:
        for number in range(sales):
            await asyncio.sleep(self.chance.random() * 20)
            order, line = self.shop.uuid(), self.shop.uuid()
            paid = await self._purchase(order, line, f"{self.name}-{number}")
            if paid and self.chance.random() < 0.12:
                await self._give_back(paid, order)

    async def first_sale(self, terminal: str) -> None:
        """One sale without haste, before the shop opens."""
        self.terminal = terminal
        place = {"order": self.shop.uuid(), "line": self.shop.uuid(), "reference": "first"}
        asked = {"kind": "sale", "amount": 1000, **place}
        await self._attempt(asked, in_haste=False)

    # -- a customer

    async def _purchase(self, order: str, line: str, reference: str) -> dict[str, Any] | None:
        """Let a customer pay by card; return the payment, or None where they went without."""
        amount = USUAL_AMOUNT if self.chance.random() < 0.4 else self.chance.randrange(50, 30000)
        asked = {"kind": "sale", "amount": amount, "order": order, "line": line, "reference": reference}
        for _ in range(self.chance.randrange(1, 4)):
            uuid, state = await self._attempt(asked)
            await self._fidget_after(uuid, asked)
            if state == "unknown":
                state = await self._somebody_looks(uuid)
            if state == "approved":
                return {"uuid": uuid, "amount": amount}
            if state not in WITHOUT_CHARGE:
                return None
            if self.chance.random() < 0.3:
                self.terminal = self.chance.choice(list(self.shop.boxes))
        return None

    async def _give_back(self, paid: dict[str, Any], order: str) -> None:
        """Bring it back: all, a part, twice, or more than was paid; where there are reversals, sometimes as one."""
        kinds = self.shop.kinds_of(self.terminal)
        # Of a sale that its own journal does not know, Odoo alone can say what was given back: no second time there.
        for _ in range(1 if self.shop.restored else self.chance.randrange(1, 4)):
            kind = "reversal" if "reversal" in kinds and self.chance.random() < 0.3 else "refund"
            amount = paid["amount"] if self.chance.random() < 0.5 else paid["amount"] // self.chance.randrange(2, 4)
            place = {"order": self.shop.uuid(), "line": self.shop.uuid(), "reference": "back"}
            asked = {"kind": kind, "amount": max(1, amount), "original": {"uuid": paid["uuid"]}, **place}
            uuid, state = await self._attempt(asked)
            if state == "unknown":
                await self._somebody_looks(uuid)

    # -- one attempt

    async def _attempt(self, asked: dict[str, Any], *, in_haste: bool = True) -> tuple[str, str]:
        """Press Card and follow it to its end; `unknown` where the till cannot know, `failed` where it was refused."""
        shop = self.shop
        uuid, terminal = shop.uuid(), self.terminal
        body = self._body(asked, terminal)
        shop.prepare(terminal)
        try:
            shop.notes.marks[uuid] = (asked["line"], shop.process.journal_id)
            transaction = await self._put(uuid, body)
        except Gone:
            transaction = None
        if transaction == "refused":
            del shop.notes.marks[uuid]
            await asyncio.sleep(self.chance.random() * 10)
            return uuid, "failed"
        if uuid not in shop.notes.marks:
            await asyncio.sleep(ASK_AGAIN)
            return uuid, "failed"  # the driver could not even be asked
        plans = [name for name, share in WHILE_IT_RUNS.items() if in_haste and self.chance.random() < share]
        return uuid, await self._follow(uuid, transaction, asked, body, plans)

    def _body(self, asked: dict[str, Any], terminal: str) -> dict[str, Any]:
        late = timedelta(seconds=self.shop.loop.time() + (30 if self.chance.random() > 0.01 else -1))
        return {
            "terminal": terminal,
            "currency": "EUR",
            "till": self.name,
            "session": "POS/1",
            "operator": "Anna",
            "not_after": iso(BEGINNING + late),
            **asked,
        }

    async def _put(self, uuid: str, body: dict[str, Any]) -> Any:
        self.shop.notes.presses[body["kind"]] += 1
        self.shop.notes.tell(uuid, f"{self.name} puts {body['kind']} {body['amount']} on {body['terminal']}")
        try:
            return await self.shop.process.put(uuid, body)
        except CardTerminalError as refusal:
            code = getattr(refusal, "code", type(refusal).__name__)
            self.shop.notes.presses[f"refused: {code}"] += 1
            self.shop.notes.tell(uuid, f"refused: {code}")
            return "refused"

    async def _follow(
        self, uuid: str, transaction: Any, asked: dict[str, Any], body: dict[str, Any], plans: list[str]
    ) -> str:
        """Watch it to its end; `plans` is what somebody presses meanwhile."""
        shop, chance = self.shop, self.chance
        for _ in range(PATIENCE):
            try:
                if transaction is None:
                    transaction = await shop.process.find(uuid)
                while not transaction.ended:
                    if not plans:
                        await shop.process.changed(transaction, 25.0)
                        continue
                    await asyncio.sleep(chance.random() * 5)
                    await _PLANS[plans.pop()](self, uuid, asked, body)
                    transaction = await shop.process.find(uuid)
                outcome = transaction.outcome
                shop.notes.heard(uuid, transaction.state.value, outcome.amount_approved if outcome else None)
                return str(transaction.state.value)
            except CardTerminalError:  # this driver does not know it: that is not "nothing happened"
                shop.notes.heard(uuid, "not_found", None)
                return "unknown"
            except Gone:
                transaction = None
                await asyncio.sleep(ASK_AGAIN)
        return "unknown"

    # -- what else people press

    async def _fidget_after(self, uuid: str, asked: dict[str, Any]) -> None:
        for name, share in AFTER_IT_ENDED.items():
            if self.chance.random() < share:
                try:
                    await _PLANS[name](self, uuid, asked, self._body(asked, self.terminal))
                except (Gone, CardTerminalError):
                    continue

    async def _same_again(self, uuid: str, asked: dict[str, Any], body: dict[str, Any]) -> None:
        if self.shop.restored:
            return  # a till asks and does not repeat; a driver that never heard of it would take it for the first press
        if uuid in self.shop.notes.marks:
            await self._put(uuid, body | {"not_after": iso(BEGINNING + timedelta(seconds=self.shop.loop.time() + 30))})

    async def _other_body(self, uuid: str, asked: dict[str, Any], body: dict[str, Any]) -> None:
        if not self.shop.restored and self.shop.knows(uuid):
            await self._put(uuid, body | {"amount": body["amount"] + 1})

    async def _new_on_line(self, uuid: str, asked: dict[str, Any], body: dict[str, Any]) -> None:
        """A till that has forgotten its own rules. The driver must not let it charge the line again."""
        if not self.shop.restored and self.shop.knows(uuid):
            await self._press_blindly(asked, self.terminal)

    async def _other_till(self, uuid: str, asked: dict[str, Any], body: dict[str, Any]) -> None:
        """The same order is paid at another till, on another line."""
        if not self.shop.restored and self.shop.knows(uuid):
            await self._press_blindly(asked | {"line": self.shop.uuid()}, self.chance.choice(list(self.shop.boxes)))

    async def _press_blindly(self, asked: dict[str, Any], terminal: str) -> None:
        uuid = self.shop.uuid()
        self.shop.notes.marks[uuid] = (asked["line"], self.shop.process.journal_id)
        transaction = await self._put(uuid, self._body(asked, terminal))
        if transaction == "refused":
            del self.shop.notes.marks[uuid]
            return
        while not transaction.ended:
            await self.shop.process.changed(transaction, 25.0)

    async def _cancel(self, uuid: str, asked: dict[str, Any], body: dict[str, Any]) -> None:
        await self.shop.process.cancel(uuid)

    async def _reload(self, uuid: str, asked: dict[str, Any], body: dict[str, Any]) -> None:
        await asyncio.sleep(self.chance.random() * 3)

    # -- unknown

    async def _somebody_looks(self, uuid: str) -> str:
        """Wait whether it resolves by itself; then, sometimes, a manager settles it by the terminal's slip."""
        shop = self.shop
        state = await self._wait_for_the_terminal(uuid)
        if state is None or self.chance.random() < 0.3:
            return state or "unknown"
        while not shop.boxes_idle():  # noqa: ASYNC110 - somebody who looks now and then
            await asyncio.sleep(10)
        paid = any(charge.uuid == uuid and charge.outcome == "approved" for charge in shop.notes.charges)
        at = iso(BEGINNING + timedelta(seconds=shop.loop.time()))
        if not shop.odoo.settle(uuid, paid=paid, at=at):
            return "unknown"
        shop.notes.tell(uuid, f"settled by hand: {'paid' if paid else 'not paid'}")
        if paid:
            return "settled_by_hand"
        for _ in range(PATIENCE):  # until the driver knows, a new attempt is refused anyway
            await asyncio.sleep(ASK_AGAIN * 2)
            record = shop.record(uuid)
            if record is not None and record.state.value in ENDED:
                return "failed"
        return "unknown"

    async def _wait_for_the_terminal(self, uuid: str) -> str | None:
        """Return how it ended after all; `unknown`, or None where no driver knows it."""
        for _ in range(self.chance.randrange(2, 8)):
            await asyncio.sleep(30)
            try:
                transaction = await self.shop.process.find(uuid)
            except Gone:
                continue
            except CardTerminalError:
                return None
            if transaction.state.value in ENDED:
                outcome = transaction.outcome
                self.shop.notes.heard(uuid, transaction.state.value, outcome.amount_approved if outcome else None)
                return str(transaction.state.value)
        return "unknown"


_PLANS: dict[str, Callable[..., Any]] = {
    "same_again": Till._same_again,
    "other_body": Till._other_body,
    "new_on_line": Till._new_on_line,
    "other_till": Till._other_till,
    "cancel": Till._cancel,
    "reload": Till._reload,
}
