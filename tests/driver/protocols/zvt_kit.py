"""A ZVT machine and what a terminal may say to it, for tests of what each message leads to."""

from hw_driver.protocols.machine import Progress, Request, Result, Send
from hw_driver.protocols.states import Kind
from hw_driver.protocols.zvt import PROTOCOLS, messages

ZVT, SERIAL = PROTOCOLS
YES, NO = bytes.fromhex("800000"), bytes.fromhex("848300")
GIVE_UP = bytes.fromhex("06b000")
COMPLETION = bytes.fromhex("060f00")
ORIGINAL = {"uuid": "o", "kind": "sale", "amount": 2500, "terminal_ref": "0470"}
NUMBERS = {"terminal_id": "28004869", "terminal_ref": "0470", "terminal_time": "10-06 22:39:53"}
PAID = {
    "result": "00",
    "amount": "000000002500",
    "currency": "0978",
    "trace": "000470",
    "receipt": "0470",
    "terminal_id": "28004869",
    "time": "223953",
    "date": "1006",
    "card_number": "************4771",
    "authorisation": "611804\0\0",
    "card_name": "Debit Mastercard\0",
    "card_type": "2e",
}


def told(message, **fields):
    return messages.encode({"message": message, "fields": fields})


def status(**other):
    fields = {**PAID, **other}
    return told("status_information", **{name: value for name, value in fields.items() if value is not None})


def asked(kind=Kind.SALE, amount=2500, currency="EUR", **more):
    return Request("u", kind, amount, currency, **more)


class Till:
    """A machine and all it has done; it is registered already, and its command answered, unless told otherwise."""

    def __init__(self, request=None, options=None, *, begun=True, info=ZVT):
        self.machine = info.machine(options or {})
        self.effects = self.machine.start(request or asked())
        if begun:
            self.effects += self.machine.connected()
            self.hear(YES + COMPLETION)
            self.hear(YES)

    def hear(self, *data):
        fresh = [effect for piece in data for effect in self.machine.receive(piece)]
        self.effects += fresh
        return fresh

    @property
    def said(self):
        return [effect.data for effect in self.effects if isinstance(effect, Send)]

    @property
    def names(self):
        return [messages.decode(data)["message"] for data in self.said]

    @property
    def outcome(self):
        (outcome,) = [effect.outcome for effect in self.effects if isinstance(effect, Result)]
        return outcome

    @property
    def progress(self):
        return [(effect.code, effect.text) for effect in self.effects if isinstance(effect, Progress)]


def kinds_of(effects):
    return [type(effect) for effect in effects]
