import { ConnectionLostError } from "@web/core/network/rpc";
import { browser } from "@web/core/browser/browser";
import { reactive } from "@odoo/owl";

/** Seconds after news until the list is fetched again: a sale brings several news at once. */
const REST = 2;

/** The open card exceptions of this point of sale, as Odoo lists them. */
export class CardDesk {
    constructor(terminals) {
        this.terminals = terminals;
        /** `rows` as `card_terminal_exceptions` says them; `offline`: the list is as old as `at` (milliseconds). */
        this.state = reactive({ rows: [], at: null, offline: false, loading: false });
    }

    /** Fetches the list. Never rejects. */
    async refresh() {
        this.state.loading = true;
        try {
            this.state.rows = await this.terminals.rpc("card_terminal_exceptions");
            this.state.at = Date.now();
            this.state.offline = false;
        } catch (error) {
            this.state.offline = error instanceof ConnectionLostError;
        } finally {
            this.state.loading = false;
        }
    }

    /** Something happened to a card payment: fetches the list soon. */
    nudged() {
        browser.clearTimeout(this.timer);
        this.timer = browser.setTimeout(() => this.refresh(), REST * 1000);
    }
}
