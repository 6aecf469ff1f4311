import { browser } from "@web/core/browser/browser";
import { isOpen } from "../utils/card_states";

/** Seconds Odoo may take to say what other tills do; the driver refuses a second charge of an order anyway. */
const PATIENCE = 4;

/** Card payments that other tills have open on orders of this one: such an order is frozen here too. */
export class OtherTills {
    constructor(terminals) {
        this.terminals = terminals;
    }

    /** Asks Odoo about an order. Resolves to the open transaction of another till, or null; never rejects. */
    async check(order) {
        if (!order || order.finalized || !order.isSynced) {
            return null; // nobody else has it
        }
        const late = new Promise((resolve) => browser.setTimeout(() => resolve(null), PATIENCE * 1000));
        const rows = await Promise.race([this._ask(order), late]);
        if (!rows) {
            return order.uiState.cardElsewhere || null;
        }
        const own = new Set(order.payment_ids.map((line) => line.card_transaction_uuid));
        const held = rows.find((row) => isOpen(row.state) && !own.has(row.uuid)) || null;
        order.uiState.cardElsewhere = held;
        return held;
    }

    async _ask(order) {
        try {
            return await this.terminals.rpc("card_terminal_transactions", { orders: [order.uuid], uuids: [] });
        } catch {
            return null; // offline
        }
    }
}
