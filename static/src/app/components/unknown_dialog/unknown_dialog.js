import { browser } from "@web/core/browser/browser";
import { Component, onWillUnmount, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";

/**
 * Nobody knows how a card payment ended: what does the terminal's slip say?
 * Resolves to `{answer: "paid"|"not_paid"|"park", authorisation}`, or nothing when it is closed.
 */
export class UnknownDialog extends Component {
    static template = "pos_card_terminal.UnknownDialog";
    static components = { Dialog };
    static props = {
        line: Object,
        /** Asked in front of another sale on the same terminal. */
        before: Boolean,
        getPayload: Function,
        close: Function,
    };

    setup() {
        this.pos = usePos();
        this.state = useState({ paid: false, authorisation: "" });
        // The question is gone once the terminal, the driver or a manager has answered it.
        const timer = browser.setInterval(() => this.props.line.card_state !== "unknown" && this.props.close(), 500);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    get amount() {
        return this.env.utils.formatCurrency(Math.abs(this.props.line.amount));
    }

    get isRefund() {
        return this.props.line.amount < 0;
    }

    answer(answer) {
        this.props.getPayload({ answer, authorisation: this.state.authorisation.trim() });
        this.props.close();
    }
}
