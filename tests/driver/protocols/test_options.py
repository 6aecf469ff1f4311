"""What can be set: described for people, checked for machines."""

from __future__ import annotations

import pytest

from hw_driver.configuration import ConfigurationError, till_side
from hw_driver.protocols.machine import InvalidRequest
from hw_driver.protocols.options import Option, check
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.serial_line import OPTIONS as SERIAL_LINE
from hw_driver.protocols.serial_line import PRESETS as LINES
from hw_driver.protocols.serial_line import settings_of

OPTIONS = [
    pytest.param(name, option, id=f"{where}-{name}")
    for where, options in {**{info.name: info.options for info in PROTOCOLS.values()}, "line": SERIAL_LINE}.items()
    for name, option in options.items()
]
PRESETS = [
    pytest.param(info, preset, id=f"{info.name}-{preset.name}")
    for info in PROTOCOLS.values()
    for preset in info.presets
]
#: Where a terminal is, by the kind of its transport: all that a preset leaves open.
PLACES = {"tcp": {"host": "192.0.2.1"}, "serial": {"device": "/dev/ttyACM0"}}


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_is_documented(name, option):
    assert option.name == name
    assert option.text[0].isupper(), "the text is a sentence"
    assert option.text.endswith("."), "the text is a sentence"
    assert option.text.count(". ") == 0, "one sentence"
    assert option.source
    assert option.allowed
    assert option.fits(option.default)
    assert all(option.choices.values()), "each choice says what it means"


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_refuses_another_type_and_says_what_it_takes(name, option):
    for wrong in (None, [], {}, b"1", float("nan"), float("inf"), -1, "\n", object()):
        with pytest.raises(InvalidRequest) as refusal:
            check({name: option}, {name: wrong})
        assert refusal.value.code == "bad_option"
        assert f"option {name} must be {option.allowed}, not " in str(refusal.value)


@pytest.mark.parametrize(
    ("default", "limits", "good", "bad"),
    [
        (True, {}, [True, False], [1, 0, "true"]),
        (1, {"low": 1, "high": 3}, [1, 3], [True, 0, 4, 1.0, "1"]),
        (0.5, {"low": 0.5, "high": 3}, [0.5, 1, 3], [True, 0.4, 3.1, "1"]),
        ("01", {"pattern": "[0-9]{2}", "wanted": "two digits"}, ["99"], ["1", "123", 12, "١٢", "12\n"]),
        ("a", {"choices": {"a": "first", "": "none"}}, ["a", ""], ["b", None, 0]),
        (1, {"choices": {1: "one", 2: "two"}}, [1, 2], [True, 1.0, "1", 3]),
    ],
)
def test_a_value_has_the_type_of_the_default_and_its_limits(default, limits, good, bad):
    option = Option("x", default, "", **limits)
    assert [value for value in good if not option.fits(value)] == []
    assert [value for value in bad if option.fits(value)] == []


def test_an_unknown_option_is_answered_with_the_known_ones():
    with pytest.raises(InvalidRequest, match="no option colour; there are register, dialect, means"):
        PROTOCOLS["concert-v2"].check({"colour": "red"})


def test_options_are_checked_beside_each_other_too():
    with pytest.raises(InvalidRequest, match="register 12 does not fit"):
        PROTOCOLS["concert-v3"].check({"register": "12", "register_length": 1})


@pytest.mark.parametrize("info", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_protocol_takes_its_defaults_and_knows_families(info):
    info.check(info.defaults)
    names = [preset.name for preset in info.presets]
    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("info", "preset"), PRESETS)
def test_a_driver_takes_every_preset_as_it_is(info, preset):
    assert preset.text.endswith(".")
    assert preset.source
    kind = preset.transport["kind"]
    terminal = {
        "id": "counter",
        "name": "Counter",
        "protocol": info.name,
        "transport": {**preset.transport, **PLACES[kind]},
        "options": preset.options,
    }
    (settings,) = till_side({"number": 1, "terminals": [terminal]}, frozenset()).terminals
    assert settings.options == preset.options
    assert settings.transport.items() >= preset.transport.items()


def test_a_line_is_what_is_set_and_else_what_its_preset_says():
    assert LINES.keys() == SERIAL_LINE["preset"].choices.keys()
    for name, line in LINES.items():
        check(SERIAL_LINE, line)
        assert settings_of({"device": "/dev/ttyS0", "preset": name}) == line
        assert settings_of({"preset": name, "speed": 1200}) == {**line, "speed": 1200}
    assert settings_of({"usb": "0b00:0060"}) == {"speed": 9600, "bits": 8, "parity": "none", "stop": 1, "flow": "none"}


def test_a_wrong_line_setting_is_named():
    terminal = {
        "id": "counter",
        "protocol": "concert-v2",
        "transport": {"kind": "serial", "device": "/dev/ttyS0", "speed": 9601},
    }
    with pytest.raises(ConfigurationError, match="terminal counter: option speed must be one of 1200, 2400"):
        till_side({"number": 1, "terminals": [terminal]}, frozenset())
