import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";
import { CardSignatures } from "@pos_card_terminal/app/services/card_signatures";
import { CardTips } from "@pos_card_terminal/app/services/card_tips";
import { fromDriver } from "@pos_card_terminal/app/utils/card_transaction";

describe.current.tags("headless");

beforeEach(allowTranslations);

function till(config = {}) {
    const pos = {
        config,
        currency: { decimal_places: 2 },
        async addLineToOrder(vals, order) {
            order.lines.push({ ...vals, setUnitPrice: (price) => (order.lines[0].price_unit = price) });
        },
    };
    const order = { lines: [] };
    return { pos, order, line: { pos_order_id: order, amount: 12.4 } };
}

test("a tip is taken only where the point of sale takes tips", () => {
    const product = { id: 7 };
    expect(new CardTips(till({ iface_tipproduct: true, tip_product_id: product }).pos).accepted).toBe(true);
    expect(new CardTips(till({ iface_tipproduct: false, tip_product_id: product }).pos).accepted).toBe(false);
    expect(new CardTips(till({ iface_tipproduct: true }).pos).accepted).toBe(false);
});

test("two tips are one article, exact to the cent", async () => {
    const { pos, order, line } = till({ iface_tipproduct: true, tip_product_id: { id: 7, product_tmpl_id: { id: 3 } } });
    const tips = new CardTips(pos);
    await tips.add(line, 10);
    expect([line.amount, order.tip_amount, order.lines[0].price_unit]).toEqual([12.5, 0.1, 0.1]);
    await tips.add(line, 20);
    expect([line.amount, order.tip_amount, order.lines[0].price_unit]).toEqual([12.7, 0.3, 0.3]);
    expect([order.lines.length, order.is_tipped]).toEqual([1, true]);
});

test("a tip has no other price that a receipt could strike out", async () => {
    const { pos, order, line } = till({ iface_tipproduct: true, tip_product_id: { id: 7, product_tmpl_id: { id: 3 } } });
    const tips = new CardTips(pos);
    await tips.takeBack(order, 50);
    expect([order.lines[0].price_type, order.lines[0].qty]).toEqual(["automatic", -1]);
    order.lines[0].price_type = "manual"; // typed by the cashier before
    await tips.add(line, 10);
    expect(order.lines.map((each) => each.price_type)).toEqual(["automatic"]);
});

test("what a terminal says of a signature and a tip, and its own words for a decline", () => {
    const outcome = { merchant_receipt: "H", details: { signature: "yes", tip: "200", text: "Karte gesperrt" } };
    const told = { uuid: "u", state: "declined", code: "card_blocked", text: "x", amount_approved: 1440, outcome };
    const known = fromDriver(told);
    expect([known.signature, known.tip, known.merchantReceipt]).toEqual([true, 200, "H"]);
    expect(known.text).toMatch(/Karte gesperrt/);
    const plain = fromDriver({ uuid: "u", state: "approved", outcome: {} });
    expect([plain.signature, plain.tip, plain.merchantReceipt]).toEqual([false, 0, ""]);
});

test("the merchant's slip comes from the page, else the driver, else Odoo", async () => {
    const asked = [];
    const terminals = {
        client: () => ({
            transaction: async () => {
                asked.push("driver");
                return { ok: true, body: { outcome: asked.length > 1 ? {} : { merchant_receipt: "from the driver" } } };
            },
        }),
        rpc: async (method) => asked.push(method) && "from Odoo",
    };
    const signatures = new CardSignatures({}, terminals);
    const line = (cardMerchantSlip) => ({ uiState: { cardMerchantSlip }, card_transaction_uuid: "u" });
    expect(await signatures.merchantSlip(line("here"))).toBe("here");
    expect(asked).toEqual([]);
    expect(await signatures.merchantSlip(line(""))).toBe("from the driver");
    expect(await signatures.merchantSlip(line(""))).toBe("from Odoo");
    expect(asked).toEqual(["driver", "driver", "card_terminal_merchant_slip"]);
});

test("a slip that cannot be printed is told, and the question stays", async () => {
    const said = [];
    const pos = {
        printer: { print: () => Promise.reject(new Error("no paper")) },
        notification: { add: (text, { type }) => said.push(type) },
    };
    const line = { uiState: { cardMerchantSlip: "H" }, card_signature: "wanted" };
    await new CardSignatures(pos, {}).print(line);
    expect(said).toEqual(["warning"]);
    expect(line.card_signature).toBe("wanted");
});
