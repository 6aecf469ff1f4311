"""The journal's promises: numbered, chained, durable, replayable; states follow the table; copies do not go on."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_kit import MovableClock, body

from hw_driver.journal import (
    LATE_ANSWER,
    TRANSITIONS,
    Event,
    IllegalTransition,
    Journal,
    JournalUnavailable,
    KnownTransaction,
    NoSuchTransaction,
    schema,
    storage,
)
from hw_driver.journal.journal import REMEMBERED
from hw_driver.protocols.machine import Outcome
from hw_driver.protocols.states import ENDED, State

APPROVED = Outcome(State.APPROVED, amount_approved=1250, brand="CB", last4="4242", auth_code="ABC123", receipt="CB\n")
DECLINED = Outcome(State.DECLINED, code="declined", text="Refused")


def sold(journal: Journal, outcome: Outcome = APPROVED, **other: object) -> str:
    asked = body(**other)
    journal.intend(asked)
    journal.record(asked["uuid"], State.SENT)
    journal.record(asked["uuid"], outcome.state, outcome)
    return str(asked["uuid"])


def broken_link(journal_id: str, events: list[Event]) -> int | None:
    """Return the first event whose number or hash does not follow from the one before (docs/api.md 2.1)."""
    prev = journal_id
    for number, event in enumerate(events, 1):
        said = json.dumps(
            [event.seq, event.uuid, event.type, event.at, event.body],
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        if (event.seq, event.prev) != (number, prev) or event.hash != hashlib.sha256(
            (prev + said).encode()
        ).hexdigest():
            return number
        prev = event.hash
    return None


def test_a_sale_is_three_numbered_events_and_one_row(journal: Journal) -> None:
    asked = body(reference="Café 7")
    journal.intend(asked)
    journal.record(asked["uuid"], State.SENT)
    record = journal.record(asked["uuid"], State.APPROVED, APPROVED)

    events = journal.events()
    assert [event.type for event in events] == ["journal_created", "requested", "sent", "approved"]
    assert events[1].body == {key: value for key, value in asked.items() if key not in ("uuid", "not_after")}
    assert events[2].body == {}
    assert events[3].body == {
        "state": "approved",
        "amount_approved": 1250,
        "brand": "CB",
        "last4": "4242",
        "auth_code": "ABC123",
        "receipt": "CB\n",
    }
    assert broken_link(journal.journal_id, events) is None
    assert record == journal.get(asked["uuid"])
    assert (record.state, record.outcome, record.seq, journal.last) == (State.APPROVED, APPROVED, 4, 4)


def test_an_altered_event_breaks_the_chain(journal: Journal) -> None:
    sold(journal)
    events = journal.events()
    altered = [*events[:2], Event(**{**events[2].as_json(), "body": {"x": 1}}), *events[3:]]
    assert broken_link(journal.journal_id, altered) == 3


def test_reading_from_any_number(journal: Journal) -> None:
    for _ in range(4):
        sold(journal)
    everything = journal.events()
    assert len(everything) == journal.last == 13
    assert journal.events(since=5, limit=3) == everything[5:8]
    assert journal.events(since=13) == []


def test_what_goes_to_odoo_is_canonical_and_chained_whatever_it_says(journal: Journal) -> None:
    awkward = 'é "quoted" \\ \n \x00 \u2028 \U0001f4b3'
    sold(journal, reference=awkward, till=awkward)
    sold(journal, uuid=awkward)
    journal.note(awkward, {awkward: awkward})
    events = journal.events()
    assert broken_link(journal.journal_id, events) is None
    written = [
        json.dumps(event.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        for event in events
    ]
    assert journal.told(since=0, limit=500) == written
    assert journal.told(since=3, limit=2) == written[3:5]


def test_what_was_not_there_is_found_once_it_is(journal: Journal) -> None:
    asked = body()
    assert journal.get(asked["uuid"]) is None
    assert journal.get(asked["uuid"]) is None
    record = journal.intend(asked)
    assert journal.get(asked["uuid"]) == record
    for _ in range(REMEMBERED + 1):
        sold(journal)
    assert journal.get(asked["uuid"]) == record, "no longer in memory"


def test_everything_is_there_after_a_restart(path: Path, journal: Journal) -> None:
    uuid = sold(journal)
    record, events, identity = journal.get(uuid), journal.events(), journal.journal_id
    journal.close()
    again = Journal.open(path, allow_tmpfs=True)
    assert (again.get(uuid), again.events(), again.journal_id) == (record, events, identity)
    assert again.notices == []
    sold(again)
    assert broken_link(identity, again.events()) is None
    again.close()


def test_writes_are_durable_when_the_call_returns(journal: Journal) -> None:
    kept = journal.storage()
    assert (kept["journal_mode"], kept["synchronous"]) == ("wal", "full")


def test_the_same_uuid_is_known(journal: Journal) -> None:
    asked = body()
    journal.intend(asked)
    with pytest.raises(KnownTransaction) as refusal:
        journal.intend(asked)
    assert refusal.value.record == journal.get(asked["uuid"])
    assert journal.last == 2


def test_an_unknown_uuid_has_no_state(journal: Journal) -> None:
    assert journal.get("nobody") is None
    with pytest.raises(NoSuchTransaction):
        journal.record("nobody", State.SENT)


def test_finding_by_line_order_original_and_terminal(journal: Journal) -> None:
    sale = sold(journal, line="L1", order="O1")
    refund = body(kind="refund", line="L2", order="O2", original={"uuid": sale})
    journal.intend(refund)
    other = body(terminal="spare", line="L3", order="O2")
    journal.intend(other)
    assert [record.uuid for record in journal.of_line("L1")] == [sale]
    assert [record.uuid for record in journal.of_order("O2")] == [refund["uuid"], other["uuid"]]
    assert [record.uuid for record in journal.of_original(sale)] == [refund["uuid"]]
    assert [record.uuid for record in journal.open_on("counter")] == [refund["uuid"]]
    assert journal.of_original("") == []


STATES_LEADING_TO = {
    State.REQUESTED: (),
    State.SENT: (State.SENT,),
    State.UNKNOWN: (State.SENT, State.UNKNOWN),
    State.APPROVED: (State.SENT, State.APPROVED),
    State.DECLINED: (State.SENT, State.DECLINED),
    State.CANCELLED: (State.SENT, State.CANCELLED),
    State.FAILED: (State.FAILED,),
}


@pytest.mark.parametrize("state", [State.REQUESTED, State.SENT, State.UNKNOWN])
@pytest.mark.parametrize("following", list(State))
def test_only_the_tables_transitions_happen(journal: Journal, state: State, following: State) -> None:
    asked = body()
    journal.intend(asked)
    for step in STATES_LEADING_TO[state]:
        journal.record(asked["uuid"], step, Outcome(step))
    before = journal.last
    if following in TRANSITIONS[state]:
        assert journal.record(asked["uuid"], following, Outcome(following)).state is following
        assert journal.last == before + 1
    else:
        with pytest.raises(IllegalTransition):
            journal.record(asked["uuid"], following, Outcome(following))
        assert (journal.last, journal.get(asked["uuid"]).state) == (before, state)  # type: ignore[union-attr]


def test_what_has_left_cannot_leave_again() -> None:
    assert [state for state, following in TRANSITIONS.items() if State.SENT in following] == [State.REQUESTED]
    assert all(not TRANSITIONS[state] for state in ENDED)


@pytest.mark.parametrize("ended", [State.APPROVED, State.DECLINED, State.CANCELLED, State.FAILED])
def test_a_late_answer_that_disagrees_is_an_event_and_changes_nothing(journal: Journal, ended: State) -> None:
    asked = body()
    journal.intend(asked)
    for step in STATES_LEADING_TO[ended]:
        record = journal.record(asked["uuid"], step, Outcome(step))
    late = Outcome(State.APPROVED, amount_approved=1300)
    after = journal.record(asked["uuid"], State.APPROVED, late)
    assert (after.state, after.outcome, after.ended_at) == (ended, record.outcome, record.ended_at)
    assert journal.events()[-1].type == LATE_ANSWER
    assert journal.events()[-1].body == {"state": "approved", "amount_approved": 1300}


def test_an_answer_that_agrees_is_no_event(journal: Journal) -> None:
    uuid = sold(journal)
    before = journal.last
    assert journal.record(uuid, State.APPROVED, APPROVED).state is State.APPROVED
    assert journal.last == before


def test_a_person_settles_an_unknown_one_only(journal: Journal) -> None:
    asked = body()
    journal.intend(asked)
    journal.record(asked["uuid"], State.SENT)
    with pytest.raises(IllegalTransition):
        journal.settle(asked["uuid"], paid=True, by="Anne", at="2026-03-01T12:00:00.000Z")
    journal.record(asked["uuid"], State.UNKNOWN, Outcome(State.UNKNOWN, code="link_lost"))
    word = {"paid": True, "by": "Anne", "at": "2026-03-01T12:00:00.000Z"}
    record = journal.settle(asked["uuid"], **word)  # type: ignore[arg-type]
    assert (record.state, record.settled) == (State.SETTLED_BY_HAND, word)
    assert journal.events()[-1].body == word
    before = journal.last
    assert journal.settle(asked["uuid"], paid=False, by="Paul", at="").settled == word
    assert journal.last == before
    assert journal.record(asked["uuid"], State.DECLINED, DECLINED).state is State.SETTLED_BY_HAND
    assert journal.events()[-1].type == LATE_ANSWER


def test_who_listens_hears_every_event_once_it_is_durable(journal: Journal) -> None:
    heard: list[tuple[int, bool]] = []
    journal.on_event = lambda event: heard.append((event.seq, event in journal.events()))
    sold(journal)
    journal.note("driver_started", {"version": "1"})
    assert heard == [(2, True), (3, True), (4, True), (5, True)]


def test_a_listener_that_fails_undoes_nothing(journal: Journal) -> None:
    def fails(event: Event) -> None:
        raise RuntimeError("listener")

    journal.on_event = fails
    uuid = sold(journal)
    assert journal.get(uuid).state is State.APPROVED  # type: ignore[union-attr]


@pytest.mark.parametrize("shift", [timedelta(hours=-1), timedelta(days=1)])
def test_a_clock_that_jumps_changes_no_order(journal: Journal, clock: MovableClock, shift: timedelta) -> None:
    first = sold(journal)
    clock.shift = shift
    second = sold(journal)
    assert broken_link(journal.journal_id, journal.events()) is None
    assert [record.uuid for record in (journal.get(first), journal.get(second)) if record] == [first, second]
    assert (journal.events()[4].at > journal.events()[3].at) == (shift > timedelta())


def test_a_backup_has_everything_but_is_not_gone_on_from(journal: Journal, tmp_path: Path) -> None:
    uuid = sold(journal)
    copy = tmp_path / "backup.sqlite3"
    journal.backup(copy)
    sold(journal)

    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT state FROM transactions WHERE uuid = ?", (uuid,)).fetchall() == [("approved",)]
        assert db.execute("SELECT max(seq) FROM events").fetchone() == (4,)
    db.close()
    with pytest.raises(JournalUnavailable, match="exists already"):
        journal.backup(copy)
    kept = copy.read_bytes()

    restored = Journal.open(copy, allow_tmpfs=True)
    assert restored.journal_id != journal.journal_id
    assert restored.get(uuid) is None
    (aside,) = tmp_path.glob("backup.sqlite3.copy-*Z")
    assert aside.read_bytes() == kept
    assert aside.name in restored.notices[0]
    assert restored.events()[0].body == {"reason": "copy", "set_aside": aside.name}
    restored.close()


def test_a_journal_from_another_machine_is_not_gone_on_from(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened_on(machine: str, file: Path) -> Journal:
        monkeypatch.setattr(storage, "machine_fingerprint", lambda: machine)
        return Journal.open(file, allow_tmpfs=True)

    journal = opened_on("this", path)
    uuid, identity = sold(journal), journal.journal_id
    journal.close()
    moved = opened_on("another", path)
    assert moved.journal_id != identity
    assert (moved.get(uuid), moved.last) == (None, 1)
    assert "another machine" in moved.notices[0]
    moved.close()
    (aside,) = path.parent.glob("journal.sqlite3.other-machine-*Z")
    back = opened_on("this", aside)
    assert (back.journal_id, back.get(uuid).state) == (identity, State.APPROVED)  # type: ignore[union-attr]
    back.close()


def test_a_machine_without_a_name_goes_on(journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = journal.journal_id
    journal.close()
    monkeypatch.setattr(storage, "machine_fingerprint", lambda: "")
    again = Journal.open(path, allow_tmpfs=True)
    assert again.journal_id == identity
    again.close()


def test_an_older_file_is_copied_then_migrated(journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid, identity = sold(journal), journal.journal_id
    journal.close()
    newer = [*schema.MIGRATIONS, "ALTER TABLE transactions ADD COLUMN note TEXT NOT NULL DEFAULT ''"]
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    migrated = Journal.open(path, allow_tmpfs=True)
    assert (migrated.journal_id, migrated.get(uuid).state) == (identity, State.APPROVED)  # type: ignore[union-attr]
    migrated.close()
    (copy,) = path.parent.glob("journal.sqlite3.version-1-*Z")
    with sqlite3.connect(copy) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM events").fetchone() == (4,)
    db.close()
    monkeypatch.undo()
    with pytest.raises(JournalUnavailable, match="newer driver"):
        Journal.open(path, allow_tmpfs=True)


OUTCOMES = st.builds(
    Outcome,
    state=st.sampled_from([state for state in State if state not in (State.REQUESTED, State.SETTLED_BY_HAND)]),
    amount_approved=st.none() | st.integers(0, 10**12),
    text=st.text(max_size=20),
    virtual=st.booleans(),
    details=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 2), OUTCOMES), max_size=12))
def test_the_rows_are_what_the_events_tell(steps: list[tuple[int, Outcome]]) -> None:
    """Replay: whoever has the events (Odoo) knows every transaction as the journal does, also after a restart."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite3"
        journal = Journal.open(path, allow_tmpfs=True)
        bodies = [body() for _ in range(3)]
        for asked in bodies:
            journal.intend(asked)
        for index, outcome in steps:
            try:
                journal.record(bodies[index]["uuid"], outcome.state, outcome)
            except IllegalTransition:
                continue
        told: dict[str, tuple[str, dict[str, object]]] = {}
        events = journal.events()
        for event in events:
            if event.type == "requested":
                told[event.uuid] = ("requested", {})
            elif event.uuid and event.type != LATE_ANSWER:
                assert State(event.type) in TRANSITIONS[State(told[event.uuid][0])]
                told[event.uuid] = (event.type, event.body)
        assert broken_link(journal.journal_id, events) is None
        journal.close()
        again = Journal.open(path, allow_tmpfs=True)
        for asked in bodies:
            record = again.get(asked["uuid"])
            assert record is not None
            state, said = told[asked["uuid"]]
            assert record.state == state
            if record.outcome is not None:
                kept = {name: value for name, value in said.items() if name != "state"}
                assert {name: getattr(record.outcome, name) for name in kept} == kept
        again.close()


def test_what_a_terminal_has_told_before_it_is_over_is_kept(journal: Journal, path: Path) -> None:
    asked = body()
    journal.intend(asked)
    told = Outcome(State.SENT, "heard", terminal_ref="0470")
    with pytest.raises(IllegalTransition):
        journal.heard(asked["uuid"], told)
    journal.record(asked["uuid"], State.SENT)
    assert journal.heard(asked["uuid"], told).state is State.SENT
    assert (journal.events()[-1].type, journal.events()[-1].body) == (
        "heard",
        {"state": "sent", "code": "heard", "terminal_ref": "0470"},
    )
    journal.close()
    again = Journal.open(path, allow_tmpfs=True)
    record = again.get(asked["uuid"])
    assert record is not None
    assert (record.state, record.outcome) == (State.SENT, told)
    again.close()
