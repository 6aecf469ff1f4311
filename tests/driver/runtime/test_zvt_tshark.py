"""What our two sides say to each other, read by somebody else: tshark's own dissector of ZVT."""

from __future__ import annotations

import asyncio
import os
import subprocess
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from runtime_kit import MovableClock, body
from zvt_tap import Tap, pcap

from hw_driver.journal import Journal
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_talk import ZvtSettings

ANSWER = "0x800x00"


async def over(transaction: Transaction) -> Transaction:
    async with asyncio.timeout(20):
        while not transaction.ended:
            await transaction.changed(transaction.rev, 20)
    return transaction


async def a_day(tmp_path: Path, journal: Journal, clock: MovableClock, slips: str) -> Tap:
    """A sale, its reversal and an end of day through a tap; return the tap."""
    server = Server(VirtualZvt(ZvtSettings(auto="contactless"), Faults()), Ledger(tmp_path / "ledger"), protocol="zvt")
    await server.start()
    tap = Tap(server.port)
    await tap.start()
    place = {"kind": "tcp", "host": "127.0.0.1", "port": tap.own_port}
    terminal = Terminal("counter", "Counter", PROTOCOLS["zvt"], place, {"slips": slips}, journal, clock=clock)
    sale = await over(await terminal.start(body(clock, amount=123456)))
    original = {"original": {"uuid": sale.uuid}}
    back = await over(await terminal.start(body(clock, kind="reversal", amount=123456, **original)))
    await over(await terminal.start(body(clock, amount=4999)))
    day = await over(await terminal.start(body(clock, kind="settlement", amount=0, currency="")))
    assert [one.state for one in (sale, back, day)] == [State.APPROVED] * 3, (sale.outcome, back.outcome, day.outcome)
    await terminal.close()
    await tap.stop()
    await server.stop()
    return tap


def dissected(capture: Path) -> ET.Element:
    """Return what tshark says of a capture."""
    command = ["tshark", "-n", "-r", str(capture), "-d", "tcp.port==20007,zvt", "-T", "pdml"]
    environment = {**os.environ, "HOME": str(capture.parent), "WIRESHARK_CONFIG_DIR": str(capture.parent)}
    said = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert not said.returncode, said.stderr
    return ET.fromstring(said.stdout)


def shown(message: ET.Element, name: str) -> list[str]:
    return [field.get("show", "") for field in message.iter("field") if field.get("name") == name]


def in_words(message: ET.Element) -> str:
    """Return a message as tshark understood it: its control field, result, amount, and card or trace number."""
    control = shown(message, "zvt.control_field") or ["".join(shown(message, "zvt.ccrc") + shown(message, "zvt.aprc"))]
    parts = (shown(message, f"zvt.{name}") for name in ("result_code", "amount", "cc", "trace_number", "card_number"))
    return " ".join([*control, *(value for values in parts for value in values)])


#: What a till says, and what the terminal says, by control field; 80 00 answers each of the other side.
REGISTRATION = ["0x0600 0x0978", "0x060f 0x0978"]
DAY = [
    *REGISTRATION,
    "0x0601 123456 0x0978",
    "0x04ff",
    "0x040f 0x00 123456 0x0978 000001 ????????????7306",
    "slips",
    "0x060f",
    *REGISTRATION,
    "0x0630 123456 0x0978",
    "0x040f 0x00 123456 0x0978 000002",
    "slips",
    "0x060f",
    *REGISTRATION,
    "0x0601 4999 0x0978",
    "0x04ff",
    "0x040f 0x00 4999 0x0978 000003 ????????????7306",
    "slips",
    "0x060f",
    *REGISTRATION,
    "0x0650",
    "0x040f 0x00 4999",
    "slips",
    "0x060f",
]
SLIPS = {"lines": "0x06d1", "blocks": "0x06d3"}


@pytest.mark.parametrize("slips", SLIPS)
async def test_tshark_reads_every_message(tmp_path: Path, journal: Journal, clock: MovableClock, slips: str) -> None:
    tap = await a_day(tmp_path, journal, clock, slips)
    capture = tmp_path / "day.pcap"
    capture.write_bytes(pcap(tap.heard))
    document = dissected(capture)
    protocols = [(str(proto.get("name")), proto) for proto in document.iter("proto")]
    assert {name for name, _ in protocols} <= {"geninfo", "frame", "raw", "ip", "tcp", "zvt"}, "all is ZVT, well-formed"
    messages = [proto for name, proto in protocols if name == "zvt"]
    assert sum(int(proto.get("size", 0)) for proto in messages) == sum(len(data) for _, _, data in tap.heard)
    assert not [proto for proto in messages if shown(proto, "zvt.apdu_len.invalid") or shown(proto, "_ws.expert")]
    words = [in_words(proto) for proto in messages]
    said = [word for word in words if word != ANSWER]
    assert len(said) == words.count(ANSWER), "each is answered"
    assert [word for word, _ in groupby(said)] == [SLIPS[slips] if word == "slips" else word for word in DAY]


async def test_tshark_sees_what_is_not_well_formed(tmp_path: Path) -> None:
    """That the test above can fail."""
    sale = bytes.fromhex("06010a04000000123456490978")
    for number, (heard, wrong) in enumerate({sale: 0, sale[:3] + b"\x04\0\0": 1, b"\x06\x01\x03\x04\0\0": 1}.items()):
        capture = tmp_path / f"{number}.pcap"
        capture.write_bytes(pcap([(1, 0, heard)]))
        messages = [proto for proto in dissected(capture).iter("proto") if proto.get("name") == "zvt"]
        whole = [in_words(proto) for proto in messages] == ["0x0601 123456 0x0978"]
        assert whole is not bool(wrong), heard
