"""What drivers report: numbered, chained events, applied once. The rules are in docs/api.md, section 2.

A journal that lost numbers, forked (a machine restored from a snapshot, or running twice) or was replaced is never
taken silently: an alarm is raised, what was open becomes unknown, and a forked journal is asked for whole and kept
beside the first, under `<journal>~2`, `~3` … What can still be read of a journal that was set aside comes after that,
as `closed`.
"""

from odoo import fields, models
from odoo.tools import SQL

from ..hw_driver import signing
from ..hw_driver.protocols.states import OPEN, State
from .card_transaction_event import problem_of

MAX_EVENTS = 500


class MalformedBatch(ValueError):
    """The body is not what docs/api.md section 2 says; nothing was applied."""


class OtherDatabase(ValueError):
    """The driver belongs to another database: it must not send or accept anything."""


class TooManyEvents(ValueError):
    """More events than fit in one request."""


class CardTerminalDriver(models.Model):
    _inherit = "card.terminal.driver"

    def _receive(self, payload):
        """Apply a signed body and return the answer.

        Raises `MalformedBatch`, `OtherDatabase`, `TooManyEvents`.
        """
        self.ensure_one()
        events = self._check_payload(payload)
        self._wait_for_lock()
        if payload.get("closed") is True:
            return {**self._receive_closed(payload, events), **self._words_to_driver()}
        self._find_journal(payload["journal_id"])
        self._compare_last(payload)
        self._apply_new(events)
        self._note_contact(payload)
        return {
            "acked": self.last_seq,
            "want": self.last_seq + 1,
            "configuration": self._configuration_for(payload.get("configuration")),
            "database_uuid": self._database_uuid(),
            "settled": self._settled(),
            **self._words_to_driver(),
        }

    def _apply_new(self, events):
        transactions = self._take(events)._apply()
        (transactions | self._not_joined())._join()
        transactions._notify_till()

    def _receive_closed(self, payload, events):
        """Take what is left of a journal that was set aside; the driver's own journal goes on where it is.

        With `finished` nothing more will come: what is open in that journal then is not known.
        """
        closed, in_use = payload["journal_id"], {name: self[name] for name in ("journal_ref", "last_seq", "last_hash")}
        if closed == (self.journal_ref or "").partition("~")[0]:
            raise MalformedBatch("this journal is in use, not closed")
        self._continue(self._branches(closed)[-1:] or [closed])
        self._apply_new(events)
        acked = self.last_seq
        if payload.get("finished") is True:
            self._close_journal(payload["last"])
        self.write(in_use)
        return {
            "acked": acked,
            "want": acked + 1,
            "configuration": None,
            "database_uuid": self._database_uuid(),
            "settled": [],
        }

    def _close_journal(self, last):
        text = self.env._("The driver's journal %s was set aside before this was known.", self.journal_ref)
        if last > self.last_seq:
            text = self.env._(
                "The driver's journal %(journal)s was set aside, and its events from %(first)s to %(last)s cannot be "
                "read any more.",
                journal=self.journal_ref,
                first=self.last_seq + 1,
                last=last,
            )
            self._raise_alarm(text)
        branches = self._branches(self.journal_ref.partition("~")[0])
        self._doubt_open_transactions("journal_lost", text, journals=branches)

    def _not_joined(self):
        """Return the latest approvals without a payment whose order has come since: it did not see them, nor they it.

        Older ones wait for their order, the cron or a person: a contact must not take longer the more there are.
        """
        waiting = self.env["card.transaction"].search(
            [
                ("driver_id", "=", self.id),
                ("exception", "=", "approved_without_payment"),
                ("needs_attention", "=", True),
            ],
            order="id desc",
            limit=20,
        )
        if not waiting:
            return waiting
        place = {transaction: transaction._place()[0] for transaction in waiting}
        Order, Line = self.env["pos.order"].sudo(), self.env["pos.payment"].sudo()
        orders = Order.search_fetch([("uuid", "in", list(set(place.values())))], ["uuid"])
        lines = Line.search_fetch([("card_transaction_uuid", "in", waiting.mapped("uuid"))], ["card_transaction_uuid"])
        come = {order.uuid for order in orders} | {line.card_transaction_uuid for line in lines}
        return waiting.filtered(lambda record: place[record] in come or record.uuid in come)

    def _wait_for_lock(self):
        """One batch of a driver at a time; a second worker waits, and starts over if the first one wrote."""
        self.env.execute_query(SQL("SELECT id FROM card_terminal_driver WHERE id = %s FOR NO KEY UPDATE", self.id))

    def _check_payload(self, payload):
        wanted = {"driver": str, "database_uuid": str, "journal_id": str, "last": int, "events": list}
        if not isinstance(payload, dict):
            raise MalformedBatch("the body must be an object")
        for name, kind in wanted.items():
            if type(payload.get(name)) is not kind:
                raise MalformedBatch(f"{name} must be {kind.__name__}")
        if payload["database_uuid"] != self._database_uuid():
            raise OtherDatabase("this driver is paired with another database")
        if payload["driver"] != self.uuid or not payload["journal_id"] or "~" in payload["journal_id"]:
            raise MalformedBatch("driver or journal_id is wrong")
        events = payload["events"]
        if len(events) > MAX_EVENTS:
            raise TooManyEvents(f"at most {MAX_EVENTS} events fit in one request")
        previous = None
        for event in events:
            problem = problem_of(event) or _broken(event, previous)
            if problem:
                number = event.get("seq") if isinstance(event, dict) else None
                raise MalformedBatch(f"event {number}: {problem}")
            previous = event
        return events

    def _find_journal(self, journal):
        """Go on with this journal where it ended; an unknown one starts at 0, with an alarm if there was another."""
        current = (self.journal_ref or "").partition("~")[0]
        if journal == current:
            return
        if current:
            self._alarm_of_loss(
                self.env._(
                    "The driver came with another journal (%(new)s) than before (%(old)s).", new=journal, old=current
                )
            )
        self._continue(self._branches(journal)[-1:] or [journal])

    def _compare_last(self, payload):
        """Compare how far each has got, and whether the driver's last event is the one that Odoo has."""
        last = payload["last"]
        known = self._event(last) if 0 < last <= self.last_seq else None
        if known and payload.get("head") not in (None, known.hash):
            self._fork(last, payload["head"], may_go_on=True)
        elif last < self.last_seq:
            self._alarm_of_loss(
                self.env._(
                    "The driver's journal %(journal)s ends at %(last)s, but Odoo has %(known)s events of it: it was "
                    "restored from a copy, or events were lost.",
                    journal=self.journal_ref,
                    last=last,
                    known=self.last_seq,
                )
            )

    def _take(self, events):
        """Store the events that are new and follow on; return them."""
        Event = self.env["card.transaction.event"]
        if self._is_fork(events):
            self._fork(events[0]["seq"] - 1, events[0]["prev"])
            events = events if events[0]["seq"] == 1 else []  # all of it is wanted again
        new = [event for event in events if event["seq"] > self.last_seq]
        if not new or new[0]["seq"] != self.last_seq + 1:
            return Event
        received = Event.create(
            [
                {
                    "driver_id": self.id,
                    "company_id": self.company_id.id,
                    "journal_ref": self.journal_ref,
                    **{name: _storable(event[name]) for name in ("seq", "uuid", "type", "at", "body", "hash")},
                }
                for event in new
            ]
        )
        self.write({"last_seq": new[-1]["seq"], "last_hash": new[-1]["hash"]})
        return received

    def _fork(self, seq, digest, may_go_on=False):
        """Go on with this journal as another one, all of which is wanted.

        Where two machines use one journal in turns, it is the branch that ends with this event, or the longest that
        this event `may_go_on`: what the driver sends next shows whether it does.
        """
        self._alarm_of_loss(
            self.env._(
                "The driver's journal %s tells another story than before: it was restored or is used twice.",
                self.journal_ref,
            )
        )
        base = self.journal_ref.partition("~")[0]
        branches = self._branches(base)
        known = self.env["card.transaction.event"].search(
            [("driver_id", "=", self.id), ("journal_ref", "in", branches), ("seq", "=", seq), ("hash", "=", digest)]
        )
        ends_so = [event.journal_ref for event in known if not event._next()]
        shorter = self._branches_before(seq) if may_go_on else []
        self._continue(ends_so or shorter or [f"{base}~{len(branches) + 1}"])

    def _branches_before(self, seq):
        """Return the other branches of this journal that end before an event, longest first."""
        ends = self.env["card.transaction.event"]._read_group(
            [("driver_id", "=", self.id), ("journal_ref", "in", self._branches(self.journal_ref.partition("~")[0]))],
            ["journal_ref"],
            ["seq:max"],
        )
        shorter = [(end, name) for name, end in ends if end < seq and name != self.journal_ref]
        return [name for _end, name in sorted(shorter, reverse=True)]

    def _event(self, seq):
        """Return an event of the journal in use, empty where Odoo does not have it."""
        return self.env["card.transaction.event"].search(
            [("driver_id", "=", self.id), ("journal_ref", "=", self.journal_ref), ("seq", "=", seq)]
        )

    def _is_fork(self, events):
        """Return whether these events contradict what Odoo has of this journal."""
        if not events:
            return False
        first = events[0]["seq"]
        if first == 1 and events[0]["prev"] != self.journal_ref.partition("~")[0]:
            return True
        if first == self.last_seq + 1 > 1:
            return events[0]["prev"] != self.last_hash
        known = {
            event.seq: event.hash
            for event in self.env["card.transaction.event"].search(
                [
                    ("driver_id", "=", self.id),
                    ("journal_ref", "=", self.journal_ref),
                    ("seq", ">=", first),
                    ("seq", "<=", events[-1]["seq"]),
                ]
            )
        }
        return any(event["hash"] != known.get(event["seq"], event["hash"]) for event in events)

    def _branches(self, journal):
        """Return the names under which this journal's events are kept, oldest first."""
        names = self.env["card.transaction.event"]._read_group(
            [("driver_id", "=", self.id), "|", ("journal_ref", "=", journal), ("journal_ref", "=like", f"{journal}~%")],
            ["journal_ref"],
        )
        if (self.journal_ref or "").partition("~")[0] == journal:
            names.append((self.journal_ref,))
        return sorted({name for (name,) in names}, key=lambda name: int(name.partition("~")[2] or 1))

    def _continue(self, names):
        last = self.env["card.transaction.event"].search(
            [("driver_id", "=", self.id), ("journal_ref", "=", names[0])], order="seq desc", limit=1
        )
        self.write({"journal_ref": names[0], "last_seq": last.seq, "last_hash": last.hash})

    def _alarm_of_loss(self, text):
        """Raise the alarm; what was open may have been charged, and its journal says nothing reliable about it."""
        self._raise_alarm(text)
        self._doubt_open_transactions("journal_lost", text)

    def _open_transactions(self):
        """Return what this driver left open: each may have been charged."""
        return self.env["card.transaction"].search(
            [("driver_id", "in", self.ids), ("state", "in", [state.value for state in OPEN])]
        )

    def _doubt_open_transactions(self, code, text, journals=()):
        """Make what is open (in these journals, or in any) a question for people; return how many there are."""
        open_ones = self._open_transactions()
        if journals:
            open_ones = open_ones.filtered(lambda transaction: transaction.journal_ref in journals)
        open_ones.write({"state": State.UNKNOWN.value, "code": code, "text": text})
        open_ones._join()
        open_ones._notify_till()
        return len(open_ones)

    def _leave_open_to_people(self):
        """The driver is replaced: nobody will ask its terminals about what it left open; return how many there are."""
        return self._doubt_open_transactions(
            "driver_replaced", self.env._("The driver of this payment was replaced before its result was known.")
        )

    def _note_contact(self, payload):
        now = fields.Datetime.now()
        reported = payload.get("configuration")
        vals = {
            "last_seen": now,
            "configuration_reported": reported if type(reported) is int else 0,
        }
        if payload["last"] == self.last_seq:
            vals["caught_up_at"] = now
        self.write(vals)
        self._note_version(payload)

    def _configuration_for(self, number):
        """Return the signed configuration unless the driver has it already, or is to sell nothing."""
        if not self.has_key:
            return None
        self._refresh_configuration()
        if type(number) is int and self.configuration_number < number < 2**31 - 1:
            self.configuration_number = number + 1  # Odoo was restored: the driver takes no number below its own
        return None if number == self.configuration_number else self._signed_configuration()

    def _settled(self):
        """Return what was settled by hand and has not come back in the driver's journal."""
        settled = self.env["card.transaction"].search(
            [
                ("driver_id", "=", self.id),
                ("state", "=", State.SETTLED_BY_HAND.value),
                ("settled_reported", "=", False),
                ("journal_ref", "in", [*self._branches((self.journal_ref or "").partition("~")[0]), False]),
            ],
            limit=MAX_EVENTS,
        )
        return [
            {
                "uuid": transaction.uuid,
                "paid": transaction.settled_paid,
                "by": transaction.settled_by.name,
                "at": transaction.settled_at.isoformat(timespec="milliseconds") + "Z",
            }
            for transaction in settled
        ]


def _broken(event, previous):
    """Return what is wrong with an event's place in the chain, or None."""
    if previous and event["seq"] != previous["seq"] + 1:
        return f"a gap after {previous['seq']}"
    if previous and event["prev"] != previous["hash"]:
        return "the hash chain is broken"
    said = signing.canonical(event["body"]).decode()
    computed = signing.event_hash(event["prev"], *(event[name] for name in ("seq", "uuid", "type", "at")), said)
    return None if computed == event["hash"] else "the hash does not match"


def _storable(value):
    """Return a JSON value without the one character that PostgreSQL cannot keep."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value
