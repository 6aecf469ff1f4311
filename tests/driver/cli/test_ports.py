"""`card-terminal ports`. No USB device can be plugged in here, so what the system would list is put in its place."""

import json
from types import SimpleNamespace

import pytest

from hw_driver import ports
from hw_driver.cli import main
from hw_driver.transports.serial import NoPort, device_of

INGENICO = SimpleNamespace(
    device="/dev/ttyACM0", vid=0x0B00, pid=0x0080, serial_number="1440CT10", description="Ingenico iCT2xx"
)
ADAPTER = SimpleNamespace(device="/dev/ttyUSB0", vid=0x0403, pid=0x6001, serial_number="", description="FT232R")
OLD = SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None, description="ttyS0")


class Listed(SimpleNamespace):
    def __lt__(self, other):
        return self.device < other.device


@pytest.fixture
def plug_in(monkeypatch):
    def plug(*devices):
        listed = [Listed(**vars(device)) for device in devices]
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: listed)

    return plug


def test_what_is_plugged_in_and_how_to_name_it(plug_in, capsys):
    plug_in(OLD, INGENICO, ADAPTER)
    assert main(["ports"]) == 0
    shown = capsys.readouterr().out
    assert "/dev/ttyACM0  an Ingenico terminal" in shown
    assert 'usb = "0b00:0080:1440ct10"' in shown
    assert "/dev/ttyUSB0  a USB-to-serial adapter (FTDI)" in shown
    assert 'device = "/dev/ttyS0"' in shown


def test_as_json(plug_in, capsys):
    plug_in(INGENICO)
    assert main(["ports", "--json"]) == 0
    (port,) = json.loads(capsys.readouterr().out)
    assert (port["device"], port["usb"]) == ("/dev/ttyACM0", "0b00:0080:1440ct10")


def test_nothing_is_plugged_in(plug_in, capsys):
    plug_in()
    assert main(["ports"]) == 0
    assert "switch its cash register link on" in capsys.readouterr().out


def test_a_port_by_its_stable_name(plug_in, capsys, monkeypatch, tmp_path):
    stable = tmp_path / "usb-Serial_of_a_board-if00"
    stable.symlink_to(tmp_path / "ttyS0")
    plug_in(SimpleNamespace(**{**vars(OLD), "device": str(tmp_path / "ttyS0")}))
    monkeypatch.setattr(ports, "STABLE_NAMES", tmp_path)
    main(["ports"])
    assert f'device = "{stable}"' in capsys.readouterr().out


def test_a_usb_device_is_found_at_whatever_port_it_has_today(plug_in):
    plug_in(ADAPTER, INGENICO)
    for name in ("0b00:0080", "0B00:0080:1440CT10", "0b00"):
        assert device_of({"usb": name}) == "/dev/ttyACM0"
    with pytest.raises(NoPort):
        device_of({"usb": "11ca:0219"})
