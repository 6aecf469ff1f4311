import { describe, expect, test } from "@odoo/hoot";
import { CARD_STATES, cardRow, isInDialog, isOpen, rowName } from "@pos_card_terminal/app/utils/card_states";

describe.current.tags("headless");

/** The states of the wire (docs/api.md), and whether the money is known there. */
const STATES = {
    requested: "unknown",
    sent: "unknown",
    approved: "charged",
    declined: "not charged",
    cancelled: "not charged",
    failed: "not charged",
    unknown: "unknown",
};

test("a line can be tried again only when certainly nothing was charged", () => {
    for (const [state, money] of Object.entries(STATES)) {
        const row = CARD_STATES[state];
        expect(row.buttons.includes("retry")).toBe(money === "not charged");
        expect(row.status === "done").toBe(money === "charged");
        expect(Boolean(row.open)).toBe(money === "unknown");
        expect(Boolean(row.kept)).toBe(money !== "not charged");
        expect(isOpen(state)).toBe(money === "unknown");
    }
});

test("whatever is open can be left for the next customer, and offers no way to pay", () => {
    for (const state of ["requested", "sent", "unknown"]) {
        const { buttons } = CARD_STATES[state];
        expect(buttons).toInclude("park");
        expect(buttons.includes("retry") || buttons.includes("send")).toBe(false);
    }
});

test("unknown has ended its dialog, and a line that is being prepared is open already", () => {
    expect(["requested", "sent"].every(isInDialog)).toBe(true);
    expect(isInDialog("unknown")).toBe(false);
    expect(cardRow({ payment_status: "waiting", card_state: "declined" })).toBe(CARD_STATES.checking);
    expect(CARD_STATES.checking.open).toBe(true);
});

test("a signature that was not looked at, or was bad, is a question of its own", () => {
    const line = { payment_status: "done", card_state: "approved", cardSignatureIsOpen: true };
    const wanted = cardRow({ ...line, card_signature: "wanted" });
    expect(wanted.buttons).toInclude("signature");
    const bad = cardRow({ ...line, card_signature: "bad" });
    expect(bad.buttons).not.toInclude("signature");
    for (const row of [wanted, bad]) {
        expect([row.status, Boolean(row.kept), Boolean(row.open)]).toEqual(["done", true, false]);
        expect(row.buttons).not.toInclude("retry");
    }
    expect(cardRow({ ...line, cardSignatureIsOpen: false, card_signature: "good" })).toBe(CARD_STATES.approved);
});

test("a settlement by hand is paid or not paid", () => {
    expect(CARD_STATES[rowName("settled_by_hand", true)].status).toBe("done");
    expect(CARD_STATES[rowName("settled_by_hand", false)].status).toBe("retry");
    expect(cardRow({ payment_status: "done", card_state: "settled_by_hand" }).status).toBe("done");
});
