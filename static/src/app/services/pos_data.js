import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";
import { patch } from "@web/core/utils/patch";
import { PosData } from "@point_of_sale/app/services/data_service";

/** Milliseconds between two questions whether Odoo is back, while a card payment of this till is not in Odoo. */
const HURRY = 800;
const ORDER_MODELS = ["pos.order", "pos.order.line", "pos.payment", "product.attribute.custom.value"];

patch(PosData.prototype, {
    /**
     * Odoo deletes the browser's whole database when the point of sale's settings have changed, orders included that
     * no server has. Those that a card may have paid stay: all else goes in the same transaction that keeps them.
     */
    async resetIndexedDB() {
        const kept = await this._cardOrderRows();
        const { db, dbStores } = this.indexedDB;
        if (!kept["pos.order"].length || !db) {
            return super.resetIndexedDB(...arguments);
        }
        db.onversionchange = () => db.close(); // a later change of its stores must not wait for this connection
        await new Promise((resolve, reject) => {
            const transaction = db.transaction(Array.from(db.objectStoreNames), "readwrite", { durability: "strict" });
            transaction.oncomplete = resolve;
            transaction.onabort = () => reject(transaction.error);
            for (const [, model] of dbStores) {
                const store = transaction.objectStore(model);
                store.clear();
                (kept[model] || []).forEach((row) => store.put(row));
            }
        });
    },

    /** Rows of the browser's database that make up orders with a card attempt, by model. */
    async _cardOrderRows() {
        const rows = { ...Object.fromEntries(ORDER_MODELS.map((model) => [model, []])), ...(await this.indexedDB.readAll(ORDER_MODELS)) };
        const paid = new Set(
            rows["pos.payment"].filter((line) => line.card_transaction_uuid).map((line) => line.pos_order_id)
        );
        const isKept = (order) => paid.has(order.id) || paid.has(order.uuid);
        const orders = rows["pos.order"].filter(isKept);
        const ids = new Set(orders.flatMap((order) => [order.id, order.uuid]));
        const lines = rows["pos.order.line"].filter((line) => ids.has(line.order_id));
        const values = new Set(lines.flatMap((line) => line.custom_attribute_value_ids || []));
        return {
            "pos.order": orders,
            "pos.order.line": lines,
            "pos.payment": rows["pos.payment"].filter((line) => ids.has(line.pos_order_id)),
            "product.attribute.custom.value": rows["product.attribute.custom.value"].filter((row) => values.has(row.id)),
        };
    },

    async execute() {
        try {
            return await super.execute(...arguments);
        } catch (error) {
            if (error instanceof ConnectionLostError) {
                this._askSoon();
            }
            throw error;
        }
    },

    /** Asks whether Odoo is back; remembers that the cashier has been told that it is away. */
    async checkConnectivity() {
        const told = this.network.warningTriggered;
        let isBack = false;
        const heard = () => (isBack = true);
        window.addEventListener("pos-network-online", heard);
        await super.checkConnectivity(...arguments);
        window.removeEventListener("pos-network-online", heard);
        if (!isBack) {
            this.network.warningTriggered = told;
            this._askSoon();
        }
    },

    /**
     * While the cable is in, Odoo does not look whether a server that was away is back until the next sale; and it
     * stops looking at the first answer that is an error, as a starting server gives. What a card has paid waits less.
     */
    _askSoon() {
        if (browser.navigator.onLine && this._hasCardMoneyHere()) {
            browser.clearTimeout(this.checkConnectivityTimeout);
            this.checkConnectivityTimeout = browser.setTimeout(() => this.checkConnectivity(), HURRY);
        }
    },

    _hasCardMoneyHere() {
        const isHere = (line) => line.isCardTerminal && line.cardIsKept && !line.pos_order_id?.isSynced;
        return Boolean(this.models?.["pos.payment"]?.find(isHere));
    },
});
