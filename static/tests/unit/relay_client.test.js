import { describe, expect, test } from "@odoo/hoot";
import { advanceTime } from "@odoo/hoot-mock";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { RelayClient } from "@pos_card_terminal/app/utils/relay_client";
import { RelaySocket } from "@pos_card_terminal/app/utils/relay_socket";
import { RoadClient } from "@pos_card_terminal/app/utils/road_client";

describe.current.tags("headless");

const UUID = "11111111-2222-4333-8444-555555555555";
const HEALTH = { driver: "driver-1", journal_id: "j", now: "2026-03-01T12:00:00.000Z", version: "1" };

/** A client, what it sent to Odoo, and the driver's way to answer. */
function relay(odoo = async () => ({ sent: true })) {
    const sent = [];
    const time = { now: 0 };
    const client = new RelayClient({
        driver: "driver-1",
        clock: () => time.now,
        send: (request) => {
            sent.push(request);
            return odoo(request);
        },
    });
    const say = (body, { command = null, status = 200, driver = "driver-1", now = HEALTH.now } = {}) =>
        client.hear({ driver, command, status, body, now, uuid: body.uuid, journal_id: "j" });
    const answer = (body, options = {}) => say(body, { command: sent.at(-1).command, ...options });
    return { client, sent, say, answer, time };
}

const told = (rev, state = "sent") => ({ uuid: UUID, rev, state, journal_id: "j" });

async function settled(promise) {
    const nothing = Symbol();
    await advanceTime(0);
    return (await Promise.race([promise, Promise.resolve(nothing)])) !== nothing;
}

test("a start is one call to Odoo, and the driver's word over the bus is its answer", async () => {
    const { client, sent, say, answer } = relay();
    const asked = client.start(UUID, { amount: 5 }, "once");
    await advanceTime(1);
    expect(sent.length).toBe(1);
    expect([sent[0].op, sent[0].uuid, sent[0].body, sent[0].grant]).toEqual(["start", UUID, { amount: 5 }, "once"]);
    say(told(1), { command: "of another till" });
    say(told(1), { command: sent[0].command, driver: "driver-2" });
    expect(await settled(asked)).toBe(false);
    answer(told(2), { status: 201 });
    expect(await asked).toEqual({ ok: true, status: 201, body: told(2) });
});

test("a start that is not answered is not known, and is not sent again", async () => {
    const { client, sent } = relay();
    const asked = client.start(UUID, {});
    await advanceTime(60_000);
    expect(await asked).toEqual({ ok: false, link: "timeout" });
    expect(sent.length).toBe(1);
});

test("what Odoo did not pass on is a refusal; an error that tells nothing is none", async () => {
    const problem = { code: "not_listening", status: 503, money: "safe" };
    expect(await relay(async () => ({ problem })).client.start(UUID, {})).toEqual({ ok: false, status: 503, problem });
    const lost = relay(() => Promise.reject(new ConnectionLostError("")));
    expect(await lost.client.start(UUID, {})).toEqual({ ok: false, link: "offline" });
    const broken = (name) => () => Promise.reject(Object.assign(new RPCError("x"), { exceptionName: name, data: {} }));
    expect(await relay(broken("psycopg2.Error")).client.start(UUID, {})).toEqual({ ok: false, link: "odoo_error" });
    expect((await relay(broken("odoo.exceptions.UserError")).client.start(UUID, {})).problem.code).toBe("odoo_refused");
});

test("the driver's word counts even where Odoo's own answer is lost", async () => {
    const { client, answer } = relay(() => new Promise(() => {}));
    const asked = client.start(UUID, {});
    await advanceTime(1);
    answer(told(1));
    expect((await asked).ok).toBe(true);
});

test("a refusal of the driver comes through as it is", async () => {
    const { client, answer } = relay();
    const asked = client.cancel(UUID);
    await advanceTime(1);
    answer({ code: "cannot_cancel", status: 409 }, { status: 409 });
    expect(await asked).toEqual({ ok: false, status: 409, problem: { code: "cannot_cancel", status: 409 } });
});

test("news is waited for without asking, and asked for when it stays away", async () => {
    const { client, sent, say, answer } = relay();
    say(told(3));
    const first = client.transaction(UUID, { after: 2, wait: 25 });
    expect((await first).body.rev).toBe(3);
    const second = client.transaction(UUID, { after: 3, wait: 25 });
    expect(await settled(second)).toBe(false);
    say(told(4, "approved"));
    expect((await second).body.state).toBe("approved");
    expect(sent.length).toBe(0);
    const third = client.transaction(UUID, { after: 4, wait: 25 });
    await advanceTime(9_000);
    expect(sent.map((request) => request.op)).toEqual(["ask"]);
    answer(told(4, "approved"));
    expect((await third).body.rev).toBe(4);
});

test("the driver's clock is kept between its words, and asked for when they are old", async () => {
    const { client, sent, say, answer, time } = relay();
    const asked = client.health();
    await advanceTime(1);
    answer(HEALTH);
    expect((await asked).body).toEqual(HEALTH);
    time.now = 90_000;
    expect((await client.health()).body).toEqual({ ...HEALTH, now: "2026-03-01T12:01:30.000Z" });
    say(told(1), { now: "2026-03-01T12:01:29.000Z" }); // any word of the driver tells its clock
    time.now = 190_000;
    expect((await client.health()).body.now).toBe("2026-03-01T12:03:09.000Z");
    expect(sent.length).toBe(1);
    time.now = 211_000;
    client.health();
    await advanceTime(1);
    expect(sent.map((request) => request.op)).toEqual(["health", "health"]);
});

test("another journal's word ends what was known of the driver", async () => {
    const { client, sent, answer, say } = relay();
    client.health();
    await advanceTime(1);
    answer(HEALTH);
    say({ ...told(1), journal_id: "another" });
    client.health();
    await advanceTime(1);
    expect(sent.length).toBe(2);
});

/** A client whose commands may go over a websocket as well, and what went there. */
function quick(odoo) {
    const frames = [];
    const grants = new Set();
    const socket = { hasRoom: true, send: (grant, request) => frames.push(request) && grants.add(grant) };
    const all = relay(odoo);
    all.client.socket = socket;
    all.client.grant = () => "granted";
    const confirm = (request, body) => all.say(body, { command: request.command });
    return { ...all, frames, grants, socket, confirm };
}

async function proven(odoo) {
    const all = quick(odoo);
    all.client.health();
    await advanceTime(1);
    expect(all.frames.map((request) => request.op)).toEqual(["health"]);
    all.confirm(all.frames[0], HEALTH);
    await advanceTime(1);
    all.frames.length = all.sent.length = 0;
    return all;
}

test("a start goes over the websocket once another command was answered there", async () => {
    const { client, sent, frames, grants, socket, confirm, answer } = await proven();
    const asked = client.start(UUID, { amount: 5 }, "once");
    await advanceTime(1);
    expect([sent.length, frames.length, frames[0].op, frames[0].grant]).toEqual([0, 1, "start", "once"]);
    expect([...grants]).toEqual(["granted"]);
    confirm(frames[0], told(1));
    expect(await asked).toEqual({ ok: true, status: 200, body: told(1) });
    socket.hasRoom = false;
    const next = client.start(UUID, {});
    await advanceTime(1);
    expect([sent.length, frames.length]).toEqual([1, 1]);
    answer(told(2));
    expect((await next).ok).toBe(true);
});

test("a websocket that nobody answers on is not used for a start", async () => {
    const { client, sent, frames, answer } = quick();
    client.health();
    await advanceTime(5_000);
    const asked = client.start(UUID, {});
    await advanceTime(1);
    expect([sent.at(-1).op, frames.map((request) => request.op)]).toEqual(["start", ["health"]]);
    answer(told(1));
    expect((await asked).ok).toBe(true);
});

test("a start that is not answered over the websocket is the same command as a call", async () => {
    const { client, sent, frames, answer } = await proven();
    const asked = client.start(UUID, { amount: 5 });
    await advanceTime(2_000);
    expect(sent).toEqual(frames);
    answer(told(1));
    expect((await asked).body).toEqual(told(1));
    client.start(UUID, {});
    await advanceTime(1);
    expect([sent.length, frames.length]).toEqual([2, 1]); // not over the websocket any more
});

test("Odoo's word that it sent nothing counts, unless the websocket may have brought the command", async () => {
    const problem = { code: "not_listening", status: 503, money: "safe" };
    const told_at_once = await proven(async () => ({ problem }));
    const asked = told_at_once.client.start(UUID, {});
    await advanceTime(1);
    told_at_once.client.refuse({ command: "of another tab", problem });
    expect(await settled(asked)).toBe(false);
    told_at_once.client.refuse({ command: told_at_once.frames[0].command, problem });
    expect(await asked).toEqual({ ok: false, status: 503, problem });
    const told_later = await proven(async () => ({ problem }));
    const unsure = told_later.client.start(UUID, {});
    await advanceTime(2_000);
    expect(await unsure).toEqual({ ok: false, link: "timeout" });
});

test("the websocket is not told more than Odoo bears", async () => {
    const frames = [];
    const time = { now: 0 };
    const bus = { workerState: "CONNECTED", send: (name, data) => frames.push([name, data]) };
    const socket = new RelaySocket({ bus, clock: () => time.now });
    for (const command of ["1", "2", "3"]) {
        expect(socket.hasRoom).toBe(true);
        socket.send("granted", { command });
    }
    expect(socket.hasRoom).toBe(false);
    expect(frames[0]).toEqual(["card_terminal_command", { grant: "granted", request: { command: "1" } }]);
    time.now = 2_600;
    expect(socket.hasRoom).toBe(true);
    bus.workerState = "DISCONNECTED";
    expect(socket.hasRoom).toBe(false);
});

/** A road client over two roads that answer as told. */
function roads(setting, answers) {
    const calls = [];
    const client = (road) => {
        const say = (name) => async () => {
            calls.push(`${road}.${name}`);
            return typeof answers[road] === "function" ? answers[road]() : answers[road];
        };
        return {
            driver: "driver-1",
            url: "http://127.0.0.1:1",
            health: say("health"),
            start: say("start"),
            transaction: say("transaction"),
            cancel: say("cancel"),
        };
    };
    return { client: new RoadClient({ direct: client("direct"), relay: client("relay"), setting }), calls, answers };
}

const GOOD = { ok: true, status: 200, body: {} };
const GONE = { ok: false, link: "unreachable" };
const OFF = { ok: false, status: 503, problem: { code: "not_listening" } };

test("the direct road where it is open, else the relay, which is kept", async () => {
    const { client, calls, answers } = roads("auto", { direct: GOOD, relay: GOOD });
    await client.health();
    expect([client.road, calls]).toEqual(["direct", ["direct.health"]]);
    answers.direct = GONE;
    await client.health();
    expect([client.road, client.why]).toEqual(["relay", { direct: "unreachable", relay: null }]);
    calls.length = 0;
    await client.health();
    await client.start(UUID, {});
    expect(calls).toEqual(["relay.health", "relay.start"]);
});

test("the direct road is tried again after a minute, beside the press", async () => {
    const { client, answers } = roads("auto", { direct: GONE, relay: GOOD });
    await client.health();
    answers.direct = GOOD;
    await client.health();
    expect(client.road).toBe("relay");
    await advanceTime(61_000);
    await client.health();
    await advanceTime(1);
    expect(client.road).toBe("direct");
});

test("an address that swallows what is sent does not hold up the relay", async () => {
    const { client } = roads("auto", { direct: () => new Promise(() => {}), relay: GOOD });
    const asked = client.health();
    await advanceTime(1_500);
    expect((await asked).ok).toBe(true);
    expect(client.road).toBe("relay");
});

test("a start is never repeated over the other road; a question is", async () => {
    const { client, calls, answers } = roads("auto", { direct: GOOD, relay: GOOD });
    await client.health();
    answers.direct = GONE;
    expect(await client.start(UUID, {})).toEqual(GONE);
    expect(calls.filter((call) => call.endsWith("start"))).toEqual(["direct.start"]);
    expect(await client.transaction(UUID)).toEqual(GOOD);
    expect(client.road).toBe("relay");
});

test("where no road is open the direct one's reason is told, and both are kept", async () => {
    const { client } = roads("auto", { direct: GONE, relay: OFF });
    expect(await client.health()).toEqual(GONE);
    expect([client.road, client.why]).toEqual([null, { direct: "unreachable", relay: "not_listening" }]);
});

test("a refusal of the driver itself is an answer, not a closed road", async () => {
    const refusal = { ok: false, status: 401, problem: { code: "expired_grant" } };
    const { client, calls } = roads("auto", { direct: refusal, relay: GOOD });
    expect(await client.health()).toEqual(refusal);
    expect(calls).toEqual(["direct.health"]);
});

test("a road that the driver's form in Odoo forbids is never used", async () => {
    const only = roads("direct", { direct: GONE, relay: GOOD });
    expect(await only.client.health()).toEqual(GONE);
    await only.client.transaction(UUID);
    expect(only.calls).toEqual(["direct.health", "direct.transaction"]);
    const other = roads("relay", { direct: GOOD, relay: OFF });
    expect(await other.client.health()).toEqual(OFF);
    await other.client.transaction(UUID);
    expect(other.calls).toEqual(["relay.health", "relay.transaction"]);
});
