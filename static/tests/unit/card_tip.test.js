import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { CardErrands } from "@pos_card_terminal/app/services/card_errands";
import { CardGivingBack } from "@pos_card_terminal/app/services/card_giving_back";
import { CardTips } from "@pos_card_terminal/app/services/card_tips";
import { CardTipsAfterwards } from "@pos_card_terminal/app/services/card_tips_afterwards";
import { fromDriver, fromOdoo } from "@pos_card_terminal/app/utils/card_transaction";

describe.current.tags("headless");

beforeEach(allowTranslations);

const TERMINAL = { id: 3, uuid: "t", name: "Counter", kinds: ["sale", "refund", "reversal", "tip"] };

function paidLine(changes) {
    return {
        isCardTerminal: true,
        card_state: "approved",
        payment_status: "done",
        card_tippable: true,
        card_terminal_id: TERMINAL,
        card_transaction_uuid: "sale",
        amount: 12.4,
        uiState: {},
        ...changes,
    };
}

function shop({ config = { iface_tipproduct: true, tip_product_id: { id: 7 } }, kinds = TERMINAL.kinds, tips = [] } = {}) {
    const payments = [...tips];
    const pos = {
        config,
        currency: { decimal_places: 2, isZero: (amount) => Math.abs(amount) < 0.005 },
        models: { "pos.payment": payments },
    };
    const terminals = {
        find: (terminal) => (terminal?.id === TERMINAL.id ? TERMINAL : undefined),
        can: (terminal, { kind }) => Boolean(terminal) && kinds.includes(kind),
        for: () => TERMINAL,
    };
    return { pos, terminals, payments };
}

function order(line, changes = {}) {
    return { finalized: true, isRefund: false, lines: [{ refundedQty: 0 }], payment_ids: [line], ...changes };
}

test("a tip is offered on a paid order whose terminal takes one, once", () => {
    const offered = (line, changes, where = {}) => {
        const { pos, terminals } = shop(where);
        return new CardTipsAfterwards(pos, terminals, new CardTips(pos)).lineOf(order(line, changes)) === line;
    };
    expect(offered(paidLine())).toBe(true);
    expect(offered(paidLine({ card_tippable: false }))).toBe(false);
    expect(offered(paidLine({ card_state: "settled_by_hand" }))).toBe(false);
    expect(offered(paidLine({ card_terminal_id: { id: 9 } }))).toBe(false);
    expect(offered(paidLine(), { finalized: false })).toBe(false);
    expect(offered(paidLine(), { lines: [{ refundedQty: 1 }] })).toBe(false);
    expect(offered(paidLine(), {}, { config: {} })).toBe(false);
    expect(offered(paidLine(), {}, { kinds: ["sale"] })).toBe(false);
    const tip = { card_tipped_uuid: "sale", pos_order_id: { finalized: true } };
    expect(offered(paidLine(), {}, { tips: [{ ...tip, payment_status: "done" }] })).toBe(false);
    expect(offered(paidLine(), {}, { tips: [{ ...tip, payment_status: "retry" }] })).toBe(true);
    expect(offered(paidLine(), {}, { tips: [{ ...tip, card_tipped_uuid: "other", payment_status: "done" }] })).toBe(true);
});

test("a tip goes to the terminal that took the payment, and back with it", async () => {
    const { pos, terminals, payments } = shop();
    terminals.rpc = async () => [{ uuid: "sale", added: 200 }];
    const givingBack = new CardGivingBack(pos, terminals);
    const sale = paidLine();
    const tip = paidLine({ card_tipped_uuid: "sale", card_transaction_uuid: "tip", amount: 2 });
    payments.push(sale, tip);
    expect(givingBack.kindOf(tip)).toBe("tip");
    expect(givingBack.terminalOf(tip)).toBe(TERMINAL);
    expect(givingBack.way(tip)).toBe("refund");
    await givingBack.learnTips([sale]);
    expect(givingBack.tipIn(sale)).toBe(200);
    expect(givingBack.kindOf({ amount: -14.4, card_reversed_uuid: "sale" })).toBe("reversal");
    expect(givingBack.kindOf({ amount: -12.4, card_reversed_uuid: "sale" })).toBe("refund");
});

test("what a terminal says of tips and of what it wants", () => {
    const details = { tippable: "yes", remedy: "diagnosis" };
    const known = fromDriver({ uuid: "u", state: "failed", outcome: { details } });
    expect([known.tippable, known.remedy]).toEqual([true, "diagnosis"]);
    const plain = fromDriver({ uuid: "u", state: "approved" });
    expect([plain.tippable, plain.remedy]).toEqual([false, ""]);
    expect(fromOdoo({ tippable: true }).tippable).toBe(true);
});

test("a terminal is asked how it stands: in our words, and what makes it ready", async () => {
    const asked = [];
    const outcome = { merchant_receipt: "SLIP", details: { condition: "end_of_day_due", remedy: "settlement" } };
    const client = {
        health: async () => ({ ok: true, body: { now: "2026-03-01T12:00:00.000Z" } }),
        start: async (uuid, body, grant) => {
            asked.push([body.kind, body.amount, grant]);
            return { ok: true, body: { state: "approved", code: "identified", text: "The terminal answers.", outcome } };
        },
    };
    const pos = { config: { name: "Till" }, session: { name: "S" }, getCashier: () => null };
    const errands = new CardErrands(pos, { client: () => client });
    const answer = await errands.ask({ ...TERMINAL, driver_id: { uuid: "d" } }, "identify");
    expect(asked).toEqual([["identify", 0, undefined]]);
    expect(answer.ok).toBe(true);
    expect(answer.text).toMatch(/wants an end of day/);
    expect([answer.condition, answer.remedy, answer.slip]).toEqual(["end_of_day_due", "settlement", "SLIP"]);
});
