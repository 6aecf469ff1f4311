"""The driver's process killed at boundaries and at random moments; `dev/torture --kill N` does it at length."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from torture.kill import kills, run
from torture.kill.kills import Outcome
from torture.kill.odoo import Odoo
from torture.kill.tills import Amounts, Sale, Till
from torture.kill.verdict import judge
from torture.kill.world import Terminal, World, open_world

#: Each kill is two starts of a process, which a busy machine takes its time for.
pytestmark = pytest.mark.timeout(300)


def assert_sound(outcome: Outcome) -> None:
    assert outcome.wrong == []
    assert run.good(outcome)
    assert outcome.kills > 0
    assert outcome.ready


@pytest.mark.parametrize(("first_start", "step"), [(False, 59), (True, 47)])
async def test_killed_at_boundaries(tmp_path: Path, first_start: bool, step: int) -> None:
    places: list[str] = []
    outcome = await kills.at_every_boundary(
        tmp_path, places.append, first_start=first_start, step=step, offset=step, times=2
    )
    assert_sound(outcome)
    assert len(places) == outcome.kills == 2, places


async def test_killed_at_random_moments(tmp_path: Path) -> None:
    outcome = await kills.at_random_moments(tmp_path, lambda _: None, kills=6, seed=1)
    assert_sound(outcome)
    assert outcome.kills == 6
    assert outcome.counts["charged"] > 0
    assert outcome.counts["approved in Odoo"] > 0


async def killed_after_an_approval(world: World, till: Till, environment: dict[str, str]) -> list[str]:
    """Sell once, kill the driver when the till has been told, start it again; return what the judge says."""
    await world.driver.start()
    await world.delivered()
    await world.driver.kill()
    await world.driver.start(environment)
    await till.sell()
    assert till.sales[0].told[-1:] == ["approved"]
    await world.driver.kill()
    await world.driver.start()
    await world.delivered()
    await till._follow(till.sales[0])
    await world.delivered()
    return judge(till.sales, world.terminals, world.odoo)[1]


async def test_the_judge_sees_a_driver_that_forgets_what_it_told(tmp_path: Path) -> None:
    """Negative control: the approval is rolled back behind the driver's back; the tests above find nothing without."""
    async with open_world(tmp_path, terminals=1) as world:
        till = Till(world, world.terminals[0], Amounts(), random.Random(1), calm=True)
        assert await killed_after_an_approval(world, till, {"TORTURE_FORGET": "approved", "TORTURE_TRACE": ""})


def ledger(*outcomes: tuple[str, int]) -> Terminal:
    entries = [{"kind": "sale", "asked": 500, "amount": amount, "outcome": outcome} for outcome, amount in outcomes]
    return type("Ledger", (), {"ledger": lambda self: entries})()


def mirrored(*events: tuple[str, dict[str, object]]) -> Odoo:
    odoo = Odoo([])
    odoo.journals["j"] = []
    for kind, body in events:
        odoo._apply({"uuid": "u", "type": kind, "body": body})
    return odoo


ASKED = ("requested", {"amount": 500})


@pytest.mark.parametrize(
    ("told", "entries", "events", "broken"),
    [
        (["sent", "approved"], [("approved", 500)], [ASKED, ("approved", {})], ""),
        (["sent", "unknown"], [("approved", 500)], [ASKED, ("unknown", {})], ""),
        (["sent", "failed"], [("approved", 500)], [ASKED, ("failed", {})], "lost"),
        ([], [("approved", 500)], [], "lost"),
        (["approved"], [("approved", 500)] * 2, [ASKED, ("approved", {})], "doubled"),
        (["approved"], [("approved", 500)], [ASKED, ("approved", {}), ("approved", {})], "doubled"),
        (["approved"], [], [ASKED, ("approved", {})], "approved, not charged"),
        (["approved"], [("declined", 0), ("approved", 500)], [ASKED, ("approved", {})], "asked twice"),
        (["approved"], [("approved", 500)], [ASKED, ("approved", {"amount_approved": 400})], "other amount"),
        (["approved", "unknown"], [("approved", 500)], [ASKED, ("unknown", {})], "taken back"),
        (["sent", "declined"], [("declined", 0)], [ASKED, ("unknown", {})], "not told to Odoo"),
    ],
)
def test_the_judge(told: list[str], entries: list[tuple[str, int]], events: list[tuple[str, dict[str, object]]],
                   broken: str) -> None:  # fmt: skip
    sale = Sale("counter", "sale", 500, uuid="u", told=told)
    counts, wrong = judge([sale], [ledger(*entries)], mirrored(*events))
    assert counts[broken] if broken else not wrong, wrong


def test_a_charge_that_nobody_pressed_is_lost() -> None:
    counts, _ = judge([], [ledger(("approved", 500))], mirrored())
    assert counts["lost"] == 1


def test_the_report_says_what_is_wrong() -> None:
    counts, _ = judge([], [], mirrored())
    outcome = Outcome(3, counts, [], ready=[0.25, 0.75, 0.5], worked=[0.25, 0.25, 0.5], took=20.0)
    assert run.good(outcome)
    said = run.report(outcome, outcome)
    assert "lost: 0" in "\n".join(said)
    assert "ready again, one shop alone: median 0.50 s, longest 0.75 s" in said
    assert "within 1 s: kept" in said
    late = Outcome(1, counts, [], ready=[1.25], worked=[0.5])
    assert "within 1 s: NOT KEPT" in run.report(outcome, late)
    outcome.wrong.append("lost: something")
    assert not run.good(outcome)
    assert "  lost: something" in run.report(outcome, outcome)


def test_the_long_run_is_foretold() -> None:
    """60 s at the boundaries and 0.4 s for each of 50 kills: 60 s and 400 s for the long run."""
    assert run.estimate(80, 20, 50).startswith("took 1.3 min; --kill 1000 takes about 7.7 min")
