import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";

/**
 * Says what the browser is about to ask and why, then lets it ask: on a press, so that nobody is surprised.
 * Afterwards, what to do where the answer was no.
 */
export class LocalAccessDialog extends Component {
    static template = "pos_card_terminal.LocalAccessDialog";
    static components = { Dialog };
    static props = {
        /** Where the driver is. */
        url: String,
        onThisMachine: Boolean,
        /** Calls the driver, whereupon the browser asks; resolves to whether it may be reached. */
        ask: Function,
        getPayload: Function,
        close: Function,
    };

    setup() {
        this.state = useState({ asking: false, refused: false });
    }

    async ask() {
        this.state.asking = true;
        const allowed = await this.props.ask();
        this.state.asking = false;
        this.state.refused = !allowed;
        if (allowed) {
            this.props.getPayload(true);
            this.props.close();
        }
    }
}
