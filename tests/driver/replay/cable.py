"""A CONCERT V2 terminal at the other end of a cable, written from the published traces. Imports nothing of the product.

The cable is a pseudo-terminal; `path` is where the till finds it, and nobody once it is unplugged. The terminal
follows a script: a list of steps that each wait for bytes of the till or write some. What it heard is kept in `heard`.
"""

import asyncio
import os
import pty
import tempfile
import termios
import tty
from pathlib import Path

ENQ, ACK, NAK, STX, ETX, EOT = b"\x05", b"\x06", b"\x15", b"\x02", b"\x03", b"\x04"


def framed(text):
    check = 0
    for byte in text.encode() + ETX:
        check ^= byte
    return STX + text.encode() + ETX + bytes([check])


def reply(status="0", amount=1250, register="01", means="1", private=" " * 10):
    return f"{register}{status}{amount:08d}{means}978{private}"


class Cable:
    """`async with Cable() as cable` plugs it in; `unplug()` tears it out."""

    def __init__(self):
        self.heard = bytearray()
        self._news = asyncio.Event()
        self._read = 0
        self._folder = tempfile.TemporaryDirectory()
        self.path = str(Path(self._folder.name, "port"))

    async def __aenter__(self):
        self.plug()
        return self

    async def __aexit__(self, *_):
        self.unplug()
        self._folder.cleanup()

    def plug(self):
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs, termios.TCSANOW)
        name = os.ttyname(theirs)
        os.close(theirs)
        self._theirs = os.open(name, os.O_RDWR | os.O_NOCTTY)  # keeps it alive while the till has it closed
        Path(self.path).symlink_to(name)
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._hear)

    def unplug(self):
        if self._ours is None:
            return
        Path(self.path).unlink()
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = None

    def _hear(self):
        try:
            self.heard += os.read(self._ours, 4096)
        except BlockingIOError:
            return
        self._news.set()

    def say(self, data):
        os.write(self._ours, data)

    async def expect(self, data):
        """Wait until exactly this comes next."""
        while len(self.heard) - self._read < len(data):
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)
        got = bytes(self.heard[self._read : self._read + len(data)])
        assert got == data, f"{got!r} came, {data!r} was expected"
        self._read += len(data)

    async def take_request(self, length=34):
        """Be the slave of one session; return the request's text."""
        await self.expect(ENQ)
        self.say(ACK)
        return await self.take_frame(length)

    async def take_frame(self, length=34):
        await self.expect(STX)
        start = self._read
        while len(self.heard) - start < length + 2:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)
        text = bytes(self.heard[start : start + length]).decode()
        assert bytes(self.heard[start - 1 : start + length + 2]) == framed(text)
        self._read += length + 2
        self.say(ACK)
        await self.expect(EOT)
        return text

    async def bring(self, text):
        """Be the master of one session that brings an answer."""
        self.say(ENQ)
        await self.expect(ACK)
        self.say(framed(text))
        await self.expect(ACK)
        self.say(EOT)
