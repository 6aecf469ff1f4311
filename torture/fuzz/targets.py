"""What is fuzzed: every reader of what terminals, browsers, files or people wrote; each protocol of the registry."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from hw_driver import signing
from hw_driver.configuration import EXAMPLE, ConfigurationError, load, till_side
from hw_driver.protocols.info import ProtocolInfo
from hw_driver.protocols.machine import MalformedMessage, Open, Persist, Request, Send, StartTimer
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.scrub import scrub, scrub_certain, scrub_reference
from hw_driver.protocols.states import Kind, State
from hw_driver.service.grants import Keyring
from hw_driver.service.problems import Problem
from hw_driver.service.schemas import ERRAND_BODY, IDENTIFY_BODY, TRANSACTION_BODY, check, parse_json

from .guided import Target

VECTORS = Path(__file__).parents[2] / "tests" / "driver" / "vectors"
KEY = bytes(range(32))
UUID = "0b6f6c4e-2d0a-4b1c-9a53-0f6a8f1d2c33"
BODY = {
    "terminal": "counter", "kind": "sale", "amount": 1250, "currency": "EUR", "till": "Till", "session": "S",
    "order": UUID, "line": UUID, "operator": "Marie", "reference": "1", "not_after": "2099-01-01T00:00:00.000Z",
    "original": {"uuid": UUID},
}  # fmt: skip
CLAIMS = {
    "typ": "session", "drv": "d", "db": "b", "ops": ["sale"], "terminals": ["counter"], "exp": 2**40, "uuid": UUID,
}  # fmt: skip
CONFIGURATION = {
    "typ": "configuration", "drv": "d", "db": "b", "number": 1, "origins": ["https://shop.example"], "hosts": [],
    "terminals": [{"id": "counter", "name": "Counter", "protocol": "concert-v3", "exclusive": True,
                   "transport": {"kind": "tcp", "host": "192.0.2.1", "port": 8888}, "options": {"drain": 0.1}}],
}  # fmt: skip


def targets() -> Iterator[Target]:
    """Yield every target."""
    messages = published()
    for name, info in PROTOCOLS.items():
        yield Target(f"{name} decode", info.decode, (MalformedMessage,), messages)
        yield Target(f"{name} encode", partial(encode, info), (MalformedMessage, ValueError), decoded(info, messages))
        yield Target(f"{name} machine", partial(machine, info), (), messages)
    yield Target("scrub", scrubbers, (), [b"CARTE 12", b"A0000000421010"])
    grants = [signing.sign("odoo", KEY, CLAIMS).encode(), signing.sign("odoo", KEY, CLAIMS | {"typ": "once"}).encode()]
    yield Target("signed text", signed, (signing.BadSignature,), grants)
    yield Target("signed claims", claims, (Problem,), [signing.canonical(CLAIMS)])
    yield Target("signed body", signed_body, (signing.BadSignature,), [signing.sign_body(KEY, 1, b"x").encode()])
    yield Target("body of a call", partial(body, TRANSACTION_BODY), (Problem,), [signing.canonical(BODY)])
    yield Target("body of identify", partial(body, IDENTIFY_BODY), (Problem,), [signing.canonical({"uuid": UUID})])
    errand = {"uuid": UUID, **{name: BODY[name] for name in ("till", "session", "operator", "not_after")}}
    yield Target("body of an errand", partial(body, ERRAND_BODY), (Problem,), [signing.canonical(errand)])
    yield Target("configuration", configuration, (ConfigurationError, ValueError), [signing.canonical(CONFIGURATION)])
    yield Target("driver.toml", toml, (ConfigurationError,), [EXAMPLE.encode()])


def published() -> list[bytes]:
    """Return the bytes of every published message."""
    vectors = [vector for file in sorted(VECTORS.glob("*.json")) for vector in _list(json.loads(file.read_text()))]
    found = [vector["ascii"].encode() for vector in vectors if "ascii" in vector]
    return found + [bytes.fromhex(vector["hex"]) for vector in vectors if "hex" in vector]


def _list(value: object) -> list[dict[str, str]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def decoded(info: ProtocolInfo, messages: list[bytes]) -> list[bytes]:
    """Return what the protocol makes of the messages that are its own, as JSON."""
    found = []
    for message in messages:
        try:
            found.append(json.dumps(info.decode(message)).encode())
        except MalformedMessage:
            continue
    return found


def encode(info: ProtocolInfo, data: bytes) -> None:
    """As the command line does; what is no JSON is refused there by its own sentence."""
    try:
        message = json.loads(data)
    except RecursionError as error:
        raise ValueError("too deep") from error
    info.encode(message)


def machine(info: ProtocolInfo, data: bytes) -> None:
    """Play a sale; the terminal says `data`, in pieces that its first byte chooses. A request leaves once."""
    dialog = info.machine({})
    effects = [*dialog.start(Request(UUID, Kind.SALE, 1250, "EUR")), *dialog.connected()]
    assert any(isinstance(effect, Open) for effect in effects)
    step = len(data) if info.link else 1 + data[0] % 16 if data else 1
    for start in range(0, len(data), max(step, 1)):
        effects += dialog.receive(data[start : start + step])
    for name in sorted({effect.name for effect in effects if isinstance(effect, StartTimer)}):
        effects += dialog.timer(name)
    effects += dialog.lost("closed")
    marks = [
        place for place, effect in enumerate(effects) if isinstance(effect, Persist) and effect.state is State.SENT
    ]
    requests = [effect.data for effect in effects[marks[0] :] if isinstance(effect, Send)] if marks else []
    assert requests.count(requests[0]) == 1 if requests else not marks, "the request left twice, or not at all"


def scrubbers(data: bytes) -> None:
    """Every scrubber, on text as it comes; a second time changes nothing."""
    text = data.decode("latin-1")
    for scrubber in (scrub, scrub_certain, scrub_reference):
        once = scrubber(text)
        assert scrubber(once) == once
    assert len(scrub_certain(text)) == len(text)


def signed(data: bytes) -> None:
    """A grant as it comes in a header."""
    signing.verify(data.decode("latin-1"), {"odoo": KEY}.get)


def claims(data: bytes) -> None:
    """Claims that are rightly signed: what a mistaken or hostile Odoo could say."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(value, dict):
        return
    try:
        token = signing.sign("odoo", KEY, value)
    except UnicodeEncodeError:  # half a character: nobody can sign that
        return
    keyring = Keyring("d", "b", {"odoo": KEY})
    keyring.caller(token, 1.0).require_terminal("counter")
    keyring.check_once(token, BODY | {"uuid": UUID}, 1.0)


def signed_body(data: bytes) -> None:
    """The signature of a report."""
    signing.verify_body(KEY, data.decode("latin-1"), b"x")


def body(members: Mapping[str, object], data: bytes) -> None:
    """The body of a call, as the API reads it."""
    check(parse_json(data), members)  # type: ignore[arg-type]


def configuration(data: bytes) -> None:
    """A configuration that is rightly signed."""
    try:
        value = json.loads(data)
    except RecursionError:
        return
    if isinstance(value, dict):
        till_side(value, frozenset())


def toml(data: bytes) -> None:
    """The driver's own file."""
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        load(Path(file.name), Path("state"))
