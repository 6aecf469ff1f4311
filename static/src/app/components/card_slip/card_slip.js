import { _t } from "@web/core/l10n/translation";
import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { useService } from "@web/core/utils/hooks";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";

/** The customer's slip of a terminal, alone on its paper. What a terminal says is text, never markup. */
export class CardSlip extends Component {
    static template = "pos_card_terminal.CardSlip";
    static props = { text: String };
}

/** The slips of an order's card payments: shown, printed again, or printed once more by the terminal that can. */
export class CardSlipDialog extends Component {
    static template = "pos_card_terminal.CardSlipDialog";
    static components = { Dialog, CardSlip };
    static props = { order: Object, close: Function };

    setup() {
        this.pos = usePos();
        this.notification = useService("notification");
        this.state = useState({ busy: false, merchant: [] });
        this._askForMerchantSlips(); // not waited for: the customer's slips are here
    }

    /** The customer's slips, then the merchant's, where terminals gave any to the till. */
    get slips() {
        return [...this.props.order.cardSlips, ...this.state.merchant];
    }

    async _askForMerchantSlips() {
        const { signatures } = this.pos.cardPayments;
        const lines = this.props.order.payment_ids.filter((line) => line.isCardTerminal && line.card_transaction_uuid);
        const asked = await Promise.allSettled(lines.map((line) => signatures.merchantSlip(line)));
        this.state.merchant = asked.map(({ value }) => value).filter(Boolean);
    }

    /** Terminals of these payments that print their last slip when asked. */
    get printers() {
        const { terminals } = this.pos.cardPayments;
        const used = new Set(this.props.order.payment_ids.map((line) => line.card_terminal_id?.uuid));
        return terminals.all.filter((terminal) => used.has(terminal.uuid) && terminals.can(terminal, { kind: "reprint" }));
    }

    againOn(terminal) {
        return _t("Last slip again on %s", terminal.name);
    }

    /** Printing trouble is told, and changes nothing about the payment. */
    async print() {
        this.state.busy = true;
        try {
            for (const text of this.slips) {
                await this.pos.printer.print(CardSlip, { text }, { webPrintFallback: true });
            }
        } catch (error) {
            console.warn("card slip", error);
            this.notification.add(_t("The slip could not be printed. The payment itself is in order."), { type: "warning" });
        } finally {
            this.state.busy = false;
        }
    }

    async reprint(terminal) {
        this.state.busy = true;
        const { ok, text } = await this.pos.cardPayments.errands.reprint(terminal);
        this.state.busy = false;
        const said = ok ? _t("%s prints its last slip.", terminal.name) : text;
        this.notification.add(said, { type: ok ? "success" : "warning" });
    }
}
