"""Every reader of other people's bytes, fuzzed for a moment: only declared errors. `dev/torture --fuzz N` goes on."""

from __future__ import annotations

import pytest

from torture.fuzz.guided import Target, fuzz
from torture.fuzz.run import report
from torture.fuzz.targets import targets

EXECUTIONS = 1500


@pytest.mark.parametrize("target", list(targets()), ids=lambda target: target.name)
def test_only_declared_errors(target: Target) -> None:
    found = fuzz(target, 1, executions=EXECUTIONS)
    print(report([found])[0])
    assert found.escaped is None, report([found])[0]
    assert found.executions >= EXECUTIONS
    assert found.corpus > len(target.seeds), "coverage guides it: changed inputs reached new branches"


def test_what_is_not_declared_is_told_with_its_input() -> None:
    def broken(data: bytes) -> None:
        if data != b"good":
            raise KeyError("a fault")

    found = fuzz(Target("broken", broken, (ValueError,), [b"good"]), 1, executions=10)
    assert found.escaped and found.escaped[0] != b"good"
    assert "ESCAPED KeyError" in report([found])[0]
