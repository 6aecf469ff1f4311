"""A terminal on the network that encrypts: it is known by its certificate, or not spoken to at all."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from runtime_kit import MovableClock, body

from hw_driver.cli import main
from hw_driver.configuration import load
from hw_driver.journal import Journal
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transports import REASONS
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_talk import ZvtSettings


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """What a terminal shows, and its fingerprint."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "driver.toml").write_text("")
    assert main(["certificate", "127.0.0.1", "--state", str(folder)]) == 0
    made = load(folder / "driver.toml", folder).tls
    assert made is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    first = made.certificate.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    return context, hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


@pytest.fixture(params=["encrypted", "plain"])
async def server(
    request: pytest.FixtureRequest, tmp_path: Path, certificate: tuple[ssl.SSLContext, str]
) -> AsyncIterator[Server]:
    context = certificate[0] if request.param == "encrypted" else None
    inside = VirtualZvt(ZvtSettings(auto="contactless", answer=1.0), Faults())
    server = Server(inside, Ledger(tmp_path / "ledger.jsonl"), protocol="zvt", tls=context)
    await server.start()
    yield server
    await server.stop()


async def pay(server: Server, journal: Journal, clock: MovableClock, tls: str) -> tuple[State, str, dict[str, str]]:
    """Return how a payment ended, its code, and what is said of the link."""
    place = {"kind": "tcp", "host": "127.0.0.1", "port": server.port, "tls": tls}
    terminal = Terminal("counter", "Counter", PROTOCOLS["zvt"], place, {"connect_timeout": 2}, journal, clock=clock)
    transaction = await terminal.start(body(clock))
    async with asyncio.timeout(20):
        while not transaction.ended:
            await transaction.changed(transaction.rev, 20)
    await terminal.let_go(2)
    link = terminal.describe()["link"]
    await terminal.close()
    assert transaction.outcome is not None
    return transaction.state, transaction.outcome.code, link


async def test_it_is_paid_only_where_the_certificate_is_the_terminals(
    server: Server, journal: Journal, clock: MovableClock, certificate: tuple[ssl.SSLContext, str]
) -> None:
    _, fingerprint = certificate
    encrypted = server._tls is not None
    outcomes = {
        name: await pay(server, journal, clock, tls)
        for name, tls in {
            "known": fingerprint.upper(),
            "another": "00" * 32,
            "signed by nobody the machine knows": "checked",
        }.items()
    }
    for name, (state, code, link) in outcomes.items():
        if encrypted and name == "known":
            assert (state, code) == (State.APPROVED, "approved")
        else:
            assert (state, code) == (State.FAILED, "unreachable"), name
            assert link["state"] == ("untrusted" if encrypted else "not_encrypted"), name
            assert link["text"] == REASONS[link["state"]]
    assert [entry.amount for entry in server.ledger.entries] == ([1250] if encrypted else [])


async def test_a_till_that_does_not_encrypt_charges_nothing_there(
    certificate: tuple[ssl.SSLContext, str], tmp_path: Path, journal: Journal, clock: MovableClock
) -> None:
    inside = VirtualZvt(ZvtSettings(auto="contactless"), Faults())
    server = Server(inside, Ledger(tmp_path / "ledger.jsonl"), protocol="zvt", tls=certificate[0])
    await server.start()
    try:
        state, code, _ = await pay(server, journal, clock, "")
        assert (state, code) == (State.FAILED, "unreachable")
        assert server.ledger.entries == []
    finally:
        await server.stop()
