"""The driver as a process: `card-terminal serve`."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web

from ..clock import Clock
from ..configuration import Settings, TlsSettings
from ..journal import Journal
from ..protocols.machine import SafeError
from ..state_folder import RUNNING, StateFolder, require_private, write_private
from .app import application
from .driver import Driver
from .logs import log_to_files, log_to_stderr
from .memory import settle_memory
from .odoo_link import OdooLink

log = logging.getLogger(__name__)

LAST_WORDS = 2.0  # seconds for telling Odoo what is left when stopping


class CannotListen(SafeError):
    """The address of the API cannot be had."""


def serve(
    settings: Settings,
    *,
    grace: float = 10.0,
    ready: bool = False,
    ready_file: Path | None = None,
    log_format: str = "text",
) -> int:
    """Run the driver until it is told to stop; `ready` prints a JSON line instead of a sentence once it listens."""
    log_to_stderr(log_format)
    log_to_files(settings.state / "logs", settings.log, log_format)
    with suppress(KeyboardInterrupt):  # where the event loop takes no signal handlers (Windows)
        asyncio.run(_serve(settings, grace, ready, ready_file))
    return 0


async def _serve(settings: Settings, grace: float, ready: bool, ready_file: Path | None) -> None:
    stopped = asyncio.Event()
    _on_signals(stopped)
    async with running(settings, grace=grace) as driver:
        driver.end = stopped.set
        note = json.dumps(
            {
                "url": driver.url,
                "port": driver.port,
                "tls_port": driver.tls_port,
                "pid": os.getpid(),
                "driver": driver.keyring.driver,
                "database_uuid": driver.keyring.database,
                "journal_id": driver.journal.journal_id,
            }
        )
        driver.folder.write(RUNNING, note.encode())
        if ready_file:
            write_private(ready_file, note.encode())
        print(note if ready else sentence(driver), flush=True)
        settle_memory()
        await stopped.wait()
        log.info("stopping")


@asynccontextmanager
async def running(settings: Settings, *, grace: float = 0.0, clock: Clock | None = None) -> AsyncIterator[Driver]:
    """Run a driver with its API and its link to Odoo for as long as the context lasts."""
    clock = clock or Clock()
    folder = StateFolder(settings.state)
    folder.create()
    journal = Journal.open(folder.journal, clock=clock)
    try:
        for notice in journal.notices:
            log.warning("%s", notice)
        driver = Driver(settings, folder, journal, clock)
        link = driver.link = OdooLink(driver, settings.odoo) if settings.odoo else None
        await driver.start()
        runner = web.AppRunner(application(driver), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        talk = None
        try:
            driver.port = await _listen(runner, settings, settings.port)
            if settings.tls:
                driver.tls_port = await _listen(runner, settings, settings.tls.port, _context(settings.tls))
            talk = asyncio.create_task(link.run()) if link else None
            yield driver
        finally:
            await driver.stop(grace)
            if link and talk:
                talk.cancel()
                await asyncio.wait([talk])
                await link.flush(LAST_WORDS)
            await runner.cleanup()
    finally:
        journal.close()
        folder.forget(RUNNING)


def sentence(driver: Driver) -> str:
    """Return the line that says where everything is."""
    terminals = ", ".join(f"{terminal.name} ({terminal.info.name})" for terminal in driver.terminals) or "none yet"
    return f"Driver at {driver.url}. Journal: {driver.folder.journal}. Terminals: {terminals}."


async def _listen(runner: web.AppRunner, settings: Settings, port: int, tls: ssl.SSLContext | None = None) -> int:
    site = web.TCPSite(runner, settings.listen, port, ssl_context=tls)
    try:
        await site.start()
    except OSError as error:
        where = f"{settings.listen} port {port}"
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"{where} is in use by another program; choose another port with --port") from error
        why = os.strerror(error.errno) if error.errno else str(error)
        raise CannotListen(f"{where} cannot be had ({why}); check driver.listen and driver.port") from error
    return int(runner.addresses[-1][1])


def _context(tls: TlsSettings) -> ssl.SSLContext:
    require_private(tls.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        advice = "make both with: card-terminal certificate"
        raise CannotListen(f"the certificate {tls.certificate} cannot be used ({error}); {advice}") from error
    return context


def _on_signals(stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
