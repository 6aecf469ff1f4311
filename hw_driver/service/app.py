"""The aiohttp application: routes behind their doors, every failure an answer that says what is known of the money."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .. import __version__
from ..journal import JournalUnavailable, NotRecorded
from ..protocols.machine import CardTerminalError, InvalidRequest
from ..protocols.states import MONEY_OF_STATE, Money
from ..refusals import CannotCancel, NotSupported, TerminalBusy
from .calls import Route
from .doors import CALL, cors_headers, doors
from .driver import Driver
from .problems import CONTENT_TYPE, REFUSALS, Problem
from .routes import ROUTES

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024

#: Refusals of the parts below, by problem code; the first that fits counts.
CODE_OF_ERROR: tuple[tuple[type[CardTerminalError], str], ...] = (
    (TerminalBusy, "terminal_busy"),
    (NotSupported, "not_supported"),
    (CannotCancel, "cannot_cancel"),
    (JournalUnavailable, "journal_unavailable"),
    (NotRecorded, "journal_unavailable"),
)
#: Refusals of the HTTP library, by status.
CODE_OF_STATUS = {404: "not_found", 405: "wrong_method", 413: "too_large"}


def application(driver: Driver, routes: Iterable[Route] = ROUTES) -> web.Application:
    """Return the API of a driver."""
    table = tuple(routes)
    app = web.Application(middlewares=[answers(driver), doors(driver, table)], client_max_size=MAX_BODY)
    for route in table:
        app.router.add_route(route.method, route.path, _handler(route))
    return app


def answers(driver: Driver) -> Middleware:
    """Return the outermost middleware: it turns every failure into a problem and marks every answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - every fault becomes an answer
            asked = f"{request.method} {request.raw_path}"
            response = problem_response(problem_of(error, driver, asked, request.match_info.get("uuid")))
        driver.answers_given[response.status] += 1
        if isinstance(failure := request.match_info.http_exception, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted({*failure.allowed_methods, "OPTIONS"}))
        response.headers.update(cors_headers(driver, request))
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Server"] = f"card-terminal/{__version__}"
        return response

    return middleware


def problem_response(problem: Problem) -> web.Response:
    """Return the answer that tells a problem."""
    body = json.dumps(problem.as_json(), ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if wait := problem.members.get("retry_after"):
        headers["Retry-After"] = str(wait)
    return web.Response(body=body, status=problem.status, content_type=CONTENT_TYPE, headers=headers)


def problem_of(error: Exception, driver: Driver, asked: str, uuid: str | None) -> Problem:
    """Return the problem that tells the caller of `error`, without its inside.

    `asked` is for the log, `uuid` the transaction that the call was about, if any.
    """
    if isinstance(error, Problem):
        driver.refusals[error.code] += 1
        log.info("refused %s: %s", asked, error.code, extra={"code": error.code, "status": error.status})
        return error
    if isinstance(error, web.HTTPException):
        return Problem(CODE_OF_STATUS.get(error.status, "malformed"), error.reason, status=error.status)
    if isinstance(error, InvalidRequest):
        return Problem(error.code if error.code in REFUSALS else "malformed", str(error))
    for type_, code in CODE_OF_ERROR:
        if isinstance(error, type_):
            members: dict[str, Any] = {"holder": error.holder} if isinstance(error, TerminalBusy) else {}
            return Problem(code, str(error), money=error.money, **members)
    log.error("fault while answering %s", asked, exc_info=error)
    detail = "The driver met an error it does not know. Ask what became of the payment before trying again."
    return Problem("internal_error", detail, money=money_known(driver, uuid))


def money_known(driver: Driver, uuid: str | None) -> Money:
    """Return what the journal knows of the money of the transaction a failed request was about."""
    if uuid is None:
        return Money.SAFE
    try:
        record = driver.journal.get(uuid)
    except Exception:
        log.exception("journal cannot be read")
        return Money.UNKNOWN
    return MONEY_OF_STATE[record.state] if record else Money.SAFE


def _handler(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await route.handler(request[CALL])

    return handle
