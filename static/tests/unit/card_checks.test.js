import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { findings, openRoad } from "@pos_card_terminal/app/utils/card_checks";

describe.current.tags("headless");

beforeEach(allowTranslations);

const HEALTH = {
    driver: "d",
    status: "ok",
    version: "1.0.0",
    journal_id: "0123456789",
    last: 7,
    odoo: { acked: 7, last_contact: "2026-03-01T12:00:00Z", error: null },
};
const GOOD = {
    driver: "d",
    access: "free",
    reached: true,
    direct: { ok: true, body: HEALTH },
    road: "direct",
    why: { direct: null, relay: null },
    online: true,
    health: HEALTH,
    told: { link: { state: "free", text: "" }, holder: null, last_seen: "2026-03-01T12:00:00Z" },
};
const SILENT = { reached: false, direct: { ok: false, link: "unreachable" }, road: null, health: null, told: undefined };

/** `part: "level code"` of what is said about these facts. */
function said(facts) {
    const all = findings({ ...GOOD, ...facts }, (iso) => iso);
    expect(all.every((finding) => finding.text)).toBe(true);
    return Object.fromEntries(all.map(({ part, level, code }) => [part, `${level} ${code}`]));
}

test("when all is well", () => {
    expect(said({})).toEqual({
        direct: "ok ok",
        relay: "idle unused",
        driver: "ok ok",
        odoo: "ok ok",
        terminal: "ok free",
    });
    expect(openRoad(GOOD)).toBe("direct");
});

test("why the direct road is closed", () => {
    for (const access of ["mixed_content", "denied", "prompt"]) {
        expect(said({ ...SILENT, access }).direct).toBe(`bad ${access}`);
    }
    expect(said(SILENT).direct).toBe("bad silent");
    expect(said({ ...SILENT, reached: true }).direct).toBe("bad closed");
    expect(said({ direct: { ok: true, body: { ...HEALTH, driver: "another" } } }).direct).toBe("bad other_driver");
    expect(said({ direct: { ok: false, problem: { code: "bad_grant" } } }).direct).toBe("bad bad_grant");
    expect(openRoad({ ...GOOD, ...SILENT })).toBe(null);
});

test("the relay carries what the direct road cannot", () => {
    const facts = { ...SILENT, access: "denied", road: "relay", health: HEALTH };
    expect(said(facts).direct).toBe("warn denied");
    expect(said(facts).relay).toBe("ok ok");
    expect(openRoad({ ...GOOD, ...facts })).toBe("relay");
    const closed = { ...SILENT, why: { direct: "unreachable", relay: "not_listening" } };
    expect(said(closed).relay).toBe("bad not_listening");
    expect(said({ online: false }).relay).toBe("warn offline");
});

test("a driver that refuses, is unpaired, or has not reported", () => {
    expect(said({ health: { ...HEALTH, status: "refusing" } }).driver).toBe("bad refusing");
    expect(said({ health: { ...HEALTH, odoo: null } }).odoo).toBe("bad not_paired");
    expect(said({ health: { ...HEALTH, last: 9 } }).odoo).toBe("warn behind");
    expect(said({ health: { ...HEALTH, odoo: { ...HEALTH.odoo, error: "no route" } } }).odoo).toBe("warn no_contact");
});

test("the terminal itself", () => {
    expect(said({ told: { link: { state: "refused", text: "It refuses." }, holder: null } }).terminal).toBe("bad refused");
    expect(said({ told: { link: { state: "unused", text: "" }, holder: null } }).terminal).toBe("idle unused");
    expect(said({ told: { link: { state: "in_use", text: "" }, holder: { till: "A" } } }).terminal).toBe("ok in_use");
    const other = { link: { state: "free", text: "" }, holder: null, notice: "It says another serial." };
    expect(said({ told: other }).terminal).toBe("warn other_identity");
    expect(said({ told: { ...other, link: { state: "refused", text: "It refuses." } } }).terminal).toBe("bad refused");
    expect(said({ told: undefined }).terminal).toBe("bad no_such_terminal");
});
