import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { advanceTime } from "@odoo/hoot-mock";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { CardSlipDialog } from "@pos_card_terminal/app/components/card_slip/card_slip";
import { CardErrands } from "@pos_card_terminal/app/services/card_errands";
import { CardGivingBack } from "@pos_card_terminal/app/services/card_giving_back";
import { CardPayments } from "@pos_card_terminal/app/services/card_payments";
import { CardTerminals } from "@pos_card_terminal/app/services/card_terminals";

describe.current.tags("headless");

beforeEach(allowTranslations);

const ALL = ["identify", "sale", "refund", "reversal"];

/** Terminals of a till as Odoo loads them; the first is the default. */
function shop(...rows) {
    const records = rows.map((row, index) => ({ id: index + 1, uuid: row.name, kinds: ALL, means: ["card"], ...row }));
    const lines = [];
    const pos = {
        config: { id: 1, name: "Shop", card_terminal_id: records[0] },
        session: { id: 1, name: "POS/1" },
        currency: { decimal_places: 2, isZero: (amount) => Math.abs(amount) < 0.005 },
        getCashier: () => ({ name: "Ann" }),
        models: { "card.terminal": { getAll: () => records }, "pos.payment": { find: (test) => lines.find(test) } },
    };
    const terminals = new CardTerminals(pos);
    return { pos, records, lines, terminals, givingBack: new CardGivingBack(pos, terminals) };
}

function paid(terminal, values = {}) {
    return {
        isCardTerminal: true,
        payment_status: "done",
        card_state: "approved",
        card_transaction_uuid: "sale",
        card_terminal_id: terminal,
        payment_method_id: { card_means: "card" },
        amount: 10,
        uiState: {},
        ...values,
    };
}

test("what a payment needs goes to the chosen terminal, else to the first that can", () => {
    const { terminals, records } = shop({ name: "Counter" }, { name: "Cheques", means: ["card", "cheque"] });
    expect(terminals.for({ kind: "sale", means: "card" })).toBe(records[0]);
    expect(terminals.for({ kind: "sale", means: "cheque" })).toBe(records[1]);
    terminals.choose(records[1]);
    expect(terminals.for({ kind: "sale", means: "card" })).toBe(records[1]);
    expect(terminals.for({ kind: "settlement" })).toBe(undefined);
    expect(terminals.can(undefined, { kind: "sale" })).toBe(false);
});

test("what Odoo has not heard of yet is asked for again, anything else is not", async () => {
    const { pos, terminals } = shop({ name: "Counter" });
    const refuse = (name) => Promise.reject({ data: { name } });
    const answers = ["odoo.addons.pos_card_terminal.models.card_terminal_grant.NotHeardYet", "odoo.exceptions.UserError"];
    pos.data = { call: () => (answers.length ? refuse(answers.shift()) : { grant: "g" }) };
    const given = terminals.permission({}).catch((error) => error.data.name);
    await advanceTime(10_000);
    expect(await given).toBe("odoo.exceptions.UserError");
    answers.push("odoo.addons.pos_card_terminal.models.card_terminal_grant.NotHeardYet");
    const later = terminals.permission({});
    await advanceTime(10_000);
    expect(await later).toEqual({ grant: "g" });
});

test("a method that no terminal of the till takes is not offered", () => {
    const { pos } = shop({ name: "Counter", kinds: ["sale"] });
    const payments = new CardPayments(pos);
    const cards = { use_payment_terminal: "card_terminal", card_means: "card" };
    expect(payments.offers(cards)).toBe(true);
    expect(payments.offers(cards, { refund: true })).toBe(false);
    expect(payments.offers({ ...cards, card_means: "cheque" })).toBe(false);
    expect(payments.offers({ use_payment_terminal: false })).toBe(true);
    pos.models["card.terminal"].getAll = () => [];
    expect(payments.offers(cards)).toBe(true); // what is missing is said when it is pressed
});

test("only the terminal that approved a payment cancels it; else it is refunded; else nothing is offered", () => {
    const { givingBack, records } = shop({ name: "Counter" }, { name: "Spare" });
    const [counter] = records;
    expect(givingBack.way(paid(counter))).toBe("reversal");
    expect(givingBack.way(paid({ id: 99 }))).toBe("refund");
    expect(givingBack.way(paid(counter, { card_state: "settled_by_hand" }))).toBe("refund");
    counter.kinds = ["sale", "refund"];
    expect(givingBack.way(paid(counter))).toBe("refund");
    records.forEach((terminal) => (terminal.kinds = ["sale"]));
    expect(givingBack.way(paid(counter))).toBe(null);
});

test("what is not paid, gives back itself or went back already is not given back", () => {
    const { givingBack, records } = shop({ name: "Counter" });
    for (const values of [
        { payment_status: "waitingCard", card_state: "sent" },
        { payment_status: "cardUnknown", card_state: "unknown" },
        { amount: -10 },
        { isCardTerminal: false },
        { card_transaction_uuid: "" },
        { cardBackLine: {} },
    ]) {
        expect(givingBack.way(paid(records[0], values))).toBe(null);
    }
});

test("a line that gives another one back asks for a reversal of the whole of it, where it was taken", () => {
    const { givingBack, lines, records } = shop({ name: "Counter" }, { name: "Spare" });
    lines.push(paid(records[1]));
    const back = paid(records[1], { card_reversed_uuid: "sale", card_transaction_uuid: "back", amount: -10 });
    expect(givingBack.kindOf(back)).toBe("reversal");
    expect(givingBack.terminalOf(back)).toBe(records[1]);
    expect(givingBack.kindOf({ ...back, amount: -4 })).toBe("refund");
    expect(givingBack.terminalOf({ ...back, amount: -4 })).toBe(records[0]);
    expect(givingBack.kindOf({ ...back, card_reversed_uuid: "another" })).toBe("refund");
    expect(givingBack.kindOf({ ...back, amount: 10 })).toBe("sale");
});

/** Errands against a driver that answers what it is told, in order; `asked` are the calls it got. */
function errands(script, rpc = async () => ({ grant: "once" })) {
    const { pos, records, terminals } = shop({ name: "Counter", driver_id: { uuid: "driver", url: "http://x" } });
    const asked = [];
    const answer = (name) => (...args) => {
        asked.push([name, ...args]);
        return script[name]?.shift() ?? { ok: false, link: "unreachable" };
    };
    terminals.client = () => ({ health: answer("health"), start: answer("start"), transaction: answer("transaction") });
    terminals.rpc = rpc;
    const made = new CardErrands(pos, terminals);
    made.waker.sleep = async () => {};
    return { errands: made, asked, counter: records[0] };
}

const HEALTHY = { ok: true, body: { now: "2026-03-01T12:00:00.000Z", journal_id: "j" } };
const told = (state, more = {}) => ({ ok: true, body: { state, rev: 1, code: state, text: state, ...more } });

test("a settlement is started once, with Odoo's grant, and asked for until it has ended", async () => {
    const totals = [{ brand: "CB", count: 2, amount: 300 }];
    const progress = { code: "x", text: "Calling the bank" };
    const said = [];
    const { errands: made, asked, counter } = errands({
        health: [HEALTHY],
        start: [told("sent", { progress })],
        transaction: [{ ok: false, link: "timeout" }, told("sent"), told("approved", { outcome: { totals } })],
    });
    const answer = await made.settle(counter, (text) => said.push(text));
    expect(answer.ok).toBe(true);
    expect(answer.totals).toEqual(totals);
    expect(said[0]).toBe("Calling the bank");
    const starts = asked.filter(([name]) => name === "start");
    expect(starts.length).toBe(1);
    const [, uuid, body, grant] = starts[0];
    expect(uuid).toBe(answer.uuid);
    expect(grant).toBe("once");
    expect([body.kind, body.amount, body.not_after]).toEqual(["settlement", 0, "2026-03-01T12:00:30.000Z"]);
});

test("a start whose answer is lost is asked for, never sent again", async () => {
    const { errands: made, asked, counter } = errands({
        health: [HEALTHY],
        start: [{ ok: false, link: "timeout" }],
        transaction: [told("approved", { outcome: {} })],
    });
    const answer = await made.settle(counter, () => {});
    expect([answer.ok, answer.totals]).toEqual([true, null]);
    expect(asked.filter(([name]) => name === "start").length).toBe(1);
});

test("what was not done says so", async () => {
    const refused = { ok: false, problem: { code: "not_supported", money: "safe" } };
    const gone = { ok: false, problem: { code: "no_such_transaction", money: "safe" } };
    for (const script of [
        { health: [] },
        { health: [HEALTHY], start: [refused] },
        { health: [HEALTHY], start: [{ ok: false, link: "timeout" }], transaction: [gone] },
        { health: [HEALTHY], start: [told("failed")] },
        { health: [HEALTHY], start: [told("sent")], transaction: [] },
    ]) {
        const { errands: made, counter } = errands(script);
        const answer = await made.reprint(counter);
        expect(answer.ok).toBe(false);
        expect(answer.text.length > 0).toBe(true);
    }
    const offline = async () => Promise.reject(Object.assign(new Error(), { data: { message: "Odoo says no" } }));
    const { errands: made, asked, counter } = errands({ health: [HEALTHY] }, offline);
    expect((await made.settle(counter, () => {})).text).toBe("Odoo says no");
    expect(asked.length).toBe(0);
});

test("a printer that fails is told of, and nothing else happens", async () => {
    for (const print of [async () => Promise.reject(new Error("no paper")), () => { throw new Error("no printer"); }]) {
        const said = [];
        const notification = { add: (text, { type }) => said.push(type) };
        const dialog = { slips: ["SLIP"], pos: { printer: { print } }, notification, state: { busy: false } };
        await CardSlipDialog.prototype.print.call(dialog);
        expect(said).toEqual(["warning"]);
        expect(dialog.state.busy).toBe(false);
    }
});
