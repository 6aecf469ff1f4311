import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, mockFetch } from "@odoo/hoot-mock";
import { DriverClient } from "@pos_card_terminal/app/utils/driver_client";

describe.current.tags("headless");

function json(body, status = 200) {
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

function client(renew = async () => false) {
    return new DriverClient({ url: "http://127.0.0.1:8765/", driver: "driver-1", grant: "old", renew });
}

test("health of the driver itself, and of another one at the same address", async () => {
    mockFetch(() => json({ driver: "driver-1", journal_id: "j" }));
    expect(await client().health()).toEqual({ ok: true, status: 200, body: { driver: "driver-1", journal_id: "j" } });
    mockFetch(() => json({ driver: "driver-2" }));
    expect(await client().health()).toEqual({ ok: false, link: "other_driver" });
});

test("a refusal is told from not knowing", async () => {
    mockFetch(() => json({ code: "terminal_busy", status: 423, money: "safe" }, 423));
    expect(await client().start("u", {})).toEqual({
        ok: false,
        status: 423,
        problem: { code: "terminal_busy", status: 423, money: "safe" },
    });
    mockFetch(() => json({ hello: "from a proxy" }, 502));
    expect(await client().start("u", {})).toEqual({ ok: false, link: "other_server" });
    mockFetch(() => new Response("<html>", { status: 200 }));
    expect(await client().start("u", {})).toEqual({ ok: false, link: "unreachable" });
    mockFetch(() => {
        throw new TypeError("Failed to fetch");
    });
    expect(await client().start("u", {})).toEqual({ ok: false, link: "unreachable" });
});

test("an expired grant is renewed once, and the request repeated that was refused at the door", async () => {
    const seen = [];
    mockFetch((url, { method, headers }) => {
        seen.push([method, headers.Authorization || headers.get?.("Authorization")]);
        return seen.length === 1 ? json({ code: "expired_grant" }, 401) : json({ state: "requested" }, 201);
    });
    const answer = await client(async () => "new").start("u", {});
    expect(answer.ok).toBe(true);
    expect(seen).toEqual([
        ["PUT", "Bearer old"],
        ["PUT", "Bearer new"],
    ]);
});

test("without a fresh grant the refusal stands, and nothing is repeated", async () => {
    let calls = 0;
    mockFetch(() => {
        calls++;
        return json({ code: "bad_grant" }, 401);
    });
    expect((await client().start("u", {})).problem.code).toBe("bad_grant");
    expect(calls).toBe(1);
});

test("a request that is not answered in time has an unknown fate and is not sent again", async () => {
    let calls = 0;
    mockFetch(() => {
        calls++;
        return new Promise(() => {});
    });
    const answer = client().start("u", {});
    await advanceTime(60_000);
    expect(await answer).toEqual({ ok: false, link: "timeout" });
    expect(calls).toBe(1);
});
