"""The web face: its JSON, its live updates, and its doors."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from virtual_kit import SALE, Bench, Start, fields

from hw_driver.virtual.face import Face


class Browser:
    """A face and a client of it."""

    def __init__(self, bench: Bench, face: Face, session: aiohttp.ClientSession) -> None:
        self.bench, self.face, self._session = bench, face, session
        self.address = f"http://127.0.0.1:{face.port}"

    def ask(self, method: str, path: str, **options):
        return self._session.request(method, self.address + path, **options)

    async def post(self, path: str, body: object) -> tuple[int, dict]:
        async with self.ask("POST", path, json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> dict:
        async with self.ask("GET", path) as response:
            assert response.status == 200
            return await response.json()


@pytest.fixture
async def browser(start: Start) -> AsyncIterator[Browser]:
    bench = await start(auto="", authorisation=0)
    face = Face(bench.server)
    await face.start()
    async with aiohttp.ClientSession() as session:
        yield Browser(bench, face, session)
    await face.stop()


async def test_a_sale_by_hand(browser: Browser) -> None:
    selling = asyncio.ensure_future(browser.bench.ask(SALE))
    await browser.bench.until(lambda: browser.bench.terminal.screen.phase == "card")
    screen = (await browser.get("/api/state"))["screen"]
    assert (screen["phase"], screen["text"], screen["amount"]) == ("card", "PRESENTEZ CARTE", "25,00 EUR")
    assert (await browser.post("/api/card", {"card": "cb"}))[1]["screen"]["text"] == "SAISISSEZ CODE"
    for key in "1234":
        await browser.post("/api/key", {"key": key})
    status, state = await browser.post("/api/key", {"key": "green"})
    assert (status, state["screen"]["text"]) == (200, "PAIEMENT ACCEPTE")
    answer = fields(await selling)
    assert answer["AC"] in state["screen"]["receipt"]
    ledger = await browser.get("/api/ledger")
    assert ledger["entries"] == browser.bench.ledger()
    assert ledger["totals"]["EUR"]["net"] == 2500


async def test_the_digits_of_the_pin_are_nowhere(browser: Browser) -> None:
    """Four digits may stand there by chance (a time, an authorisation, the port): of PINs that are kept, each would."""
    pins, found = ("9876", "5309", "7412"), []
    for pin in pins:
        selling = asyncio.ensure_future(browser.bench.ask(SALE))
        await browser.bench.until(lambda: browser.bench.terminal.screen.phase == "card")
        await browser.post("/api/card", {"card": "cb"})
        for key in pin:
            await browser.post("/api/key", {"key": key})
        assert (await browser.get("/api/state"))["screen"]["pin"] == 4
        _, state = await browser.post("/api/key", {"key": "green"})
        assert fields(await selling)["AE"] == "10"
        found.append(pin in json.dumps(state) + browser.bench.path.read_text())
    assert not all(found)


async def test_faults_are_switched(browser: Browser) -> None:
    def armed(state: dict) -> dict:
        return {fault["name"]: (fault["mode"], fault["value"]) for fault in state["faults"] if fault["mode"]}

    _, state = await browser.post(
        "/api/faults", {"decline": "once", "cut": {"mode": "always", "value": 12}, "late": "once"}
    )
    assert armed(state) == {"decline": ("once", None), "cut": ("always", 12), "late": ("once", 20)}
    _, state = await browser.post("/api/faults", {"cut": None, "late": None})
    assert armed(state) == {"decline": ("once", None)}
    await browser.post("/api/auto", {"auto": "cb"})
    assert fields(await browser.bench.ask(SALE))["AF"] == "04"
    assert armed(await browser.get("/api/state")) == {}


async def test_changes_come_by_themselves(browser: Browser) -> None:
    async with browser.ask("GET", "/api/events") as events:
        assert events.content_type == "text/event-stream"
        phases = [await _next_phase(events)]
        selling = asyncio.ensure_future(browser.bench.ask(SALE))
        while phases[-1] != "card":
            phases.append(await _next_phase(events))
        await browser.post("/api/key", {"key": "red"})
        while phases[-1] != "cancelled":
            phases.append(await _next_phase(events))
    assert list(dict.fromkeys(phases)) == ["idle", "card", "cancelled"]
    assert fields(await selling)["AF"] == "11"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/card", {"card": "gold"}),
        ("/api/card", {}),
        ("/api/card", []),
        ("/api/key", {"key": 1}),
        ("/api/key", {"key": ["red"]}),
        ("/api/faults", {"nonsense": "once"}),
        ("/api/faults", {"cut": {"mode": "once", "value": "x"}}),
        ("/api/faults", {"cut": ["once"]}),
        ("/api/auto", {"auto": "cb", "delay": -1}),
        ("/api/standalone", {}),
        ("/api/standalone", {"amount": 0}),
        ("/api/standalone", {"amount": 12.5}),
    ],
)
async def test_bad_bodies_are_refused_with_a_reason(browser: Browser, path: str, body: object) -> None:
    status, answer = await browser.post(path, body)
    assert status == 400
    assert answer["error"]


READ = ["/", "/static/face.js", "/api/state", "/api/events", "/api/ledger"]
PRESS = ["/api/card", "/api/key", "/api/faults", "/api/auto", "/api/standalone"]
ROUTES = [*(("GET", path) for path in READ), *(("POST", path) for path in PRESS)]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_host_or_page_is_refused_everywhere(browser: Browser, method: str, path: str) -> None:
    for header, value, status in (
        ("Host", "evil.example", 421),
        ("Host", "evil.example:80", 421),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Origin", f"http://127.0.0.1:{browser.face.port + 1}", 403),
    ):
        body = {"json": {}} if method == "POST" else {}
        async with browser.ask(method, path, headers={header: value}, **body) as response:
            assert response.status == status, (header, value)


async def test_its_own_page_may_and_a_form_may_not(browser: Browser) -> None:
    async with browser.ask("POST", "/api/key", json={"key": "red"}, headers={"Origin": browser.address}) as response:
        assert response.status == 200
    async with browser.ask(
        "POST", "/api/key", data='{"key": "red"}', headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 415


async def test_the_page_needs_nothing_from_elsewhere(browser: Browser) -> None:
    for path in ("/", "/static/face.css", "/static/face.js", "/static/icon.svg"):
        async with browser.ask("GET", path) as response:
            text = await response.text()
            assert response.status == 200
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            assert "https://" not in text
            assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    async with browser.ask("GET", "/") as response:
        assert "No real money" in await response.text()


async def test_all_routes_are_walked(browser: Browser) -> None:
    served = {(route.method, route.resource.canonical) for route in browser.face.app.router.routes() if route.resource}
    walked = {(method, path.replace("/face.js", "")) for method, path in ROUTES}
    assert {route for route in served if route[0] != "HEAD"} == walked


async def _next_phase(events: aiohttp.ClientResponse) -> str:
    async with asyncio.timeout(5):
        while not (line := await events.content.readline()).startswith(b"data: "):
            pass
    return json.loads(line[6:])["screen"]["phase"]
