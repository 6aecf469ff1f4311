"""A plugin of pytest: a test that was given a second try is named in the report, and its first failure shown."""

from __future__ import annotations

import pytest

from kit.results import UNSTEADY


def pytest_runtest_setup(item: pytest.Item) -> None:
    if getattr(item, "execution_count", 1) > 1:  # pytest-rerunfailures counts the tries
        item.user_properties.append((UNSTEADY, "second try"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome == "rerun":  # type: ignore[comparison-overlap]  # which would not be shown
        print(f"\n{report.nodeid}: once more, after\n{report.longreprtext}", flush=True)
