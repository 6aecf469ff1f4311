"""A terminal on a cable: RS-232, or USB that shows up as a serial port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Mapping
from typing import Any

import serial
from serial.tools import list_ports

from ..protocols.serial_line import settings_of
from .base import Listener

PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
FLOWS: dict[str, dict[str, bool]] = {
    "none": {},
    "rtscts": {"rtscts": True},
    "dsrdtr": {"dsrdtr": True},
    "xonxoff": {"xonxoff": True},
}

#: Silence after the port was opened, in seconds: adapters lose what comes sooner (concert.md 1.5).
SETTLING = 0.03
#: A port whose hardware handshake stalls must not hold up the driver for longer, in seconds.
LONGEST_WRITE = 1.0


class SerialTransport:
    """Settings: `device` (a path, COM3) or `usb` (``vendor:product`` or ``vendor:product:serial``, hexadecimal).

    Its line is set as `protocols/serial_line.py` describes. The port is locked: one owner at a time.
    """

    def __init__(self, settings: Mapping[str, Any], listener: Listener) -> None:
        self._settings = settings
        self._listener = listener
        self._port: _Port | None = None
        self._settling: asyncio.TimerHandle | None = None

    def open(self, timeout: float) -> None:
        """Open the port; the listener hears of it once the line has settled."""
        self.close()
        loop = asyncio.get_running_loop()
        try:
            self._port = _Port(open_port(self._settings), self._received, self._lost)
        except OSError as error:
            loop.call_soon(self._listener.on_lost, reason_of(error))
            return
        self._settling = loop.call_later(SETTLING, self._listener.on_connected)

    def write(self, data: bytes) -> None:
        """Hand bytes to the system, at once and once. Raises `ConnectionError` when there is no line."""
        if self._port is None:
            raise ConnectionError("the port is not open")
        try:
            self._port.write(data)
        except OSError as error:
            raise ConnectionError("the port does not take it") from error

    def acknowledge(self) -> None:
        """Bare bytes have no word for it."""

    def close(self) -> None:
        """Let the port go, after what was written has left."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._port is not None:
            self._port.close()
            self._port = None

    def abort(self) -> None:
        """Let the port go; what waits in its buffer does not leave any more."""
        if self._port is not None:
            self._port.discard()
        self.close()

    def _received(self, port: _Port, data: bytes) -> None:
        if port is self._port:
            self._listener.on_data(data)

    def _lost(self, port: _Port) -> None:
        if port is self._port:
            self.close()
            self._listener.on_lost("unplugged")


class _Port:
    """An open port and the thread that reads it: the one way that works on every system."""

    def __init__(self, port: serial.Serial, received: Any, lost: Any) -> None:
        self._port = port
        self._received = received
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._thread = threading.Thread(target=self._read, name=f"serial {port.port}", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._port.reset_output_buffer()

    def close(self) -> None:
        self._open = False
        with contextlib.suppress(OSError, AttributeError):
            self._port.cancel_read()
        self._thread.join()
        with contextlib.suppress(OSError):
            self._port.close()

    def _read(self) -> None:
        try:
            while self._open:
                data = self._port.read(1)
                data += self._port.read(self._port.in_waiting) if data else b""
                if data and self._open:
                    self._tell(self._received, data)
        except (OSError, TypeError):  # TypeError: pyserial's, for a port that was closed meanwhile
            if self._open:
                self._tell(self._lost)

    def _tell(self, call: Any, *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the driver is stopping
            self._loop.call_soon_threadsafe(call, self, *args)


class NoPort(OSError):
    """No such port is plugged in."""


def open_port(settings: Mapping[str, Any]) -> serial.Serial:
    """Open and lock a port; raise `OSError`."""
    line = settings_of(settings)
    return serial.Serial(
        port=device_of(settings),
        baudrate=line["speed"],
        bytesize=line["bits"],
        parity=PARITIES[line["parity"]],
        stopbits=line["stop"],
        write_timeout=LONGEST_WRITE,
        exclusive=True,
        **FLOWS[line["flow"]],
    )


def device_of(settings: Mapping[str, Any]) -> str:
    """Return the path of a port; raise `NoPort` for a USB device that is not plugged in."""
    if device := settings.get("device"):
        return str(device)
    wanted = str(settings["usb"]).lower()
    for port in list_ports.comports():
        if usb_name(port).startswith(wanted):
            return str(port.device)
    raise NoPort(f"no USB device {wanted}")


def usb_name(port: Any) -> str:
    """Return ``vendor:product:serial`` of a port as `list_ports` tells it, '' where it is not USB."""
    if port.vid is None:
        return ""
    return f"{port.vid:04x}:{port.pid:04x}:{port.serial_number or ''}".lower()


#: What the system says -> the reason we give. Anything else means that the port cannot be used as it is set.
_REASONS_BY_ERRNO = {
    errno.ENOENT: "no_port",
    errno.ENODEV: "no_port",
    errno.ENXIO: "no_port",
    errno.EACCES: "port_denied",
    errno.EPERM: "port_denied",
    errno.EAGAIN: "port_in_use",
    errno.EBUSY: "port_in_use",
}


def reason_of(error: OSError) -> str:
    """Return the key of `REASONS` for a port that cannot be opened."""
    if isinstance(error, NoPort):
        return "no_port"
    return _REASONS_BY_ERRNO.get(error.errno or 0, "port_settings")
