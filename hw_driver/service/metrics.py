"""What the driver counts, as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Mapping

from .. import __version__
from ..clock import parse
from ..protocols.states import State
from .driver import Driver

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = list[tuple[Mapping[str, str], float]]


def exposition(driver: Driver) -> str:
    """Return every metric of the driver."""
    link = driver.link
    unknown = {terminal.id: _unknown_ages(driver, terminal.id) for terminal in driver.terminals}
    families: list[tuple[str, str, str, Samples]] = [
        (
            "card_terminal_info",
            "gauge",
            "Version and identity.",
            [({"version": __version__, "driver": driver.keyring.driver}, 1)],
        ),
        ("card_terminal_journal_last", "gauge", "Number of the latest journal event.", [({}, driver.journal.last)]),
        (
            "card_terminal_events_total",
            "counter",
            "Journal events since the driver started, by type.",
            [({"type": type_}, count) for type_, count in sorted(driver.events_seen.items())],
        ),
        (
            "card_terminal_http_responses_total",
            "counter",
            "Answers of the API since the driver started, by status.",
            [({"status": str(status)}, count) for status, count in sorted(driver.answers_given.items())],
        ),
        (
            "card_terminal_refusals_total",
            "counter",
            "Calls the API refused since the driver started, by code: what the doors keep out.",
            [({"code": code}, count) for code, count in sorted(driver.refusals.items())],
        ),
        (
            "card_terminal_unknown_transactions",
            "gauge",
            "Transactions whose result is not known.",
            [({"terminal": name}, len(ages)) for name, ages in unknown.items()],
        ),
        (
            "card_terminal_oldest_unknown_seconds",
            "gauge",
            "Age of the oldest transaction whose result is not known; 0 where there is none.",
            [({"terminal": name}, max(ages, default=0)) for name, ages in unknown.items()],
        ),
        (
            "card_terminal_busy",
            "gauge",
            "1 while a dialog is under way.",
            [({"terminal": terminal.id}, 1 if terminal.holder else 0) for terminal in driver.terminals],
        ),
        (
            "card_terminal_open_transactions",
            "gauge",
            "Transactions that are not ended, unknown ones included.",
            [({"terminal": terminal.id}, len(driver.journal.open_on(terminal.id))) for terminal in driver.terminals],
        ),
    ]
    if link:
        families += [
            ("card_terminal_odoo_up", "gauge", "1 when Odoo answered last.", [({}, 0 if link.error else 1)]),
            ("card_terminal_odoo_acked", "gauge", "Number of the latest event Odoo has.", [({}, link.acked)]),
        ]
    return "".join(_family(*family) for family in families)


def _unknown_ages(driver: Driver, terminal: str) -> list[float]:
    """Return the age in seconds of each transaction of a terminal whose result is not known."""
    now = driver.clock.now()
    return [
        max(0.0, round((now - parse(record.requested_at)).total_seconds(), 3))
        for record in driver.journal.open_on(terminal)
        if record.state is State.UNKNOWN
    ]


def _family(name: str, type_: str, about: str, samples: Samples) -> str:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {type_}"]
    lines += [f"{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
