"""What the tests said: counts read from JUnit files, and the lines that are printed at the end."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

UNSTEADY = "unsteady"
"""The property of a test that needed a second try."""


@dataclass
class Result:
    """One part's outcome."""

    part: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unsteady: list[str] = field(default_factory=list)
    """Passed, but at the second try."""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return not self.failed and not self.skipped

    def line(self) -> str:
        skipped = f", {len(self.skipped)} skipped (counted as failed)" if self.skipped else ""
        unsteady = f", {len(self.unsteady)} unsteady" if self.unsteady else ""
        return (
            f"{self.part:<8} {self.passed} passed, {len(self.failed)} failed{skipped}{unsteady}, {self.seconds:.0f} s"
        )


def read_junit(part: str, path: Path, exit_status: int) -> Result:
    """Read a report of pytest. A run that ended badly without saying which test failed counts as one failure."""
    result, passed = Result(part), set()
    if path.exists():
        for case in ET.parse(path).iter("testcase"):  # noqa: S314  (written by pytest a moment ago)
            name = f"{case.get('classname', '')}::{case.get('name', '')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                result.failed.append(name)
            elif skipped is not None and skipped.get("type") != "pytest.xfail":
                result.skipped.append(f"{name}: {skipped.get('message', 'no reason given')}")
            else:
                passed.add(name)
                if case.find(f"properties/property[@name='{UNSTEADY}']") is not None:
                    result.unsteady.append(name)
    result.passed = len(passed.difference(result.failed))  # a first try stands there too, without its failure
    if exit_status and result.good:
        result.failed.append({5: "no test was found"}.get(exit_status, f"pytest ended with status {exit_status}"))
    return result


def closing_lines(results: list[Result]) -> list[str]:
    """The summary of all parts; the last line has the totals."""
    lines = []
    for result in results:
        lines += [f"  failed   {result.part}: {name}" for name in result.failed]
        lines += [f"  skipped  {result.part}: {name}" for name in result.skipped]
        lines += [f"  unsteady {result.part}: {name} passed at its second try" for name in result.unsteady]
    lines += [result.line() for result in results]
    passed = sum(result.passed for result in results)
    failed = sum(len(result.failed) + len(result.skipped) for result in results)
    return [*lines, f"{passed} passed, {failed} failed"]
