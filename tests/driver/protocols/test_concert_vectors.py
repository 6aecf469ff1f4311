"""Every CONCERT V3 vector both ways, whole and byte by byte, against fields and verdicts written by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.concert.tlv import Reader
from hw_driver.protocols.machine import MalformedMessage, Request, Result
from hw_driver.protocols.states import Kind

ROOT = Path(__file__).parents[3]
VECTORS_FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = {
    vector["name"]: bytes.fromhex(vector["hex"])
    for vector in json.loads((VECTORS_FOLDER / "concert.json").read_text())
    if vector["version"] == "V3"
}
EXPECTED = json.loads((VECTORS_FOLDER / "concert_v3_expected.json").read_text())
WELL_FORMED = [name for name, expected in EXPECTED.items() if "fields" in expected]
MALFORMED = [name for name, expected in EXPECTED.items() if "malformed" in expected]
REPLIES = [name for name, expected in EXPECTED.items() if "outcome" in expected]

concert_v3 = next(info for info in PROTOCOLS if info.name == "concert-v3")


def test_every_vector_has_an_expectation():
    assert set(EXPECTED) == set(VECTORS)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_decodes_to_the_named_fields(name):
    decoded = concert_v3.decode(VECTORS[name])
    assert decoded["message"] == EXPECTED[name]["message"]
    assert list(decoded["fields"].items()) == list(EXPECTED[name]["fields"].items())
    assert decoded["warnings"] == []


@pytest.mark.parametrize("name", WELL_FORMED)
def test_encodes_back_to_the_same_bytes(name):
    assert concert_v3.encode({"fields": EXPECTED[name]["fields"]}) == VECTORS[name]
    assert concert_v3.encode(concert_v3.decode(VECTORS[name])) == VECTORS[name]


@pytest.mark.parametrize("name", WELL_FORMED)
def test_reads_the_same_fields_byte_by_byte(name):
    reader = Reader()
    for byte in VECTORS[name]:
        reader.feed(bytes([byte]))
    assert reader.whole
    assert reader.fields == EXPECTED[name]["fields"]


@pytest.mark.parametrize("name", MALFORMED)
def test_refuses_what_is_not_the_protocol(name):
    with pytest.raises(MalformedMessage, match=EXPECTED[name]["malformed"]):
        concert_v3.decode(VECTORS[name])


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_verdict_of_a_reply(name, step):
    asked = EXPECTED[name]["asked"]
    machine = concert_v3.machine({})
    machine.start(Request("u", Kind(asked["kind"]), asked["amount"], asked["currency"]))
    effects = machine.connected()
    for at in range(0, len(VECTORS[name]), step):
        effects += machine.receive(VECTORS[name][at : at + step])
    effects += machine.lost("closed")
    (outcome,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    assert {key: getattr(outcome, key) for key in EXPECTED[name]["outcome"]} == EXPECTED[name]["outcome"]


def command(*arguments, stdin=""):
    """Run the real command on a bare Python: no site-packages."""
    return subprocess.run(
        [sys.executable, "-S", "-m", "hw_driver", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("name", WELL_FORMED)
def test_command_decodes_and_encodes(name):
    decoded = command("decode", "concert-v3", "--hex", VECTORS[name].hex())
    assert (decoded.returncode, decoded.stderr) == (0, "")
    assert json.loads(decoded.stdout)["fields"] == EXPECTED[name]["fields"]
    encoded = command("encode", "concert-v3", stdin=decoded.stdout)
    assert (encoded.returncode, encoded.stdout.strip(), encoded.stderr) == (0, VECTORS[name].hex(), "")


def refused(done):
    return done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", MALFORMED)
def test_command_refuses_in_one_line(name):
    assert refused(command("decode", "concert-v3", "--hex", VECTORS[name].hex()))


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("decode", "concert-v3", "--hex", ""), ""),
        (("decode", "concert-v3", "--hex", "0G"), ""),
        (("decode", "concert-v3"), ""),
        (("decode", "morse", "--hex", "00"), ""),
        (("encode", "concert-v3"), "not JSON"),
        (("encode", "concert-v3"), "[1]"),
        (("encode", "concert-v3"), '{"fields": {}}'),
        (("encode", "concert-v3"), '{"fields": {"CZ": "0300", "cb": "1"}}'),
        (("encode", "concert-v3"), '{"fields": {"CZ": "0300", "CB": 1}}'),
        (("encode", "concert-v3"), '{"fields": {"CZ": "0300", "CB": ""}}'),
        (("encode", "concert-v3"), '{"fields": {"CZ": "0300", "ZT": "CK003100"}}'),
        (("encode", "concert-v3"), "[" * 100_000),
    ],
)
def test_command_refuses_bad_input_in_one_line(arguments, stdin):
    assert refused(command(*arguments, stdin=stdin))
