"""One call at the API, after the doors: what handlers get, and the table row that says how a route is guarded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..protocols.states import Kind
from .driver import Driver
from .grants import Caller
from .schemas import Field


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose Host, Origin and grant are good and whose body and query have been checked."""

    driver: Driver
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, int] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the API.

    `kind` is what it starts, None where the body says it or nothing is started. `operation` is what the grant must
    name; None where the body's `kind` decides. `terminal` finds the terminal the grant must name (None where the call
    is about no single one). `answers` are its good statuses, `returns` the schema of their JSON.
    """

    method: str
    path: str
    handler: Handler
    about: str
    operation: str | None
    terminal: Callable[[Call], str | None] = lambda call: None
    body: Mapping[str, Field] | None = None
    query: Mapping[str, Field] = field(default_factory=dict)
    answers: Mapping[int, str] = field(default_factory=lambda: {200: "done"})
    returns: str = ""
    kind: Kind | None = None
