import { _t } from "@web/core/l10n/translation";
import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { majorUnits } from "../../utils/amounts";

const WAITING = { title: _t("The terminal gives it back"), icon: "fa-circle-o-notch fa-spin text-info" };
const NOTHING = { title: _t("Nothing was given back"), icon: "fa-exclamation-triangle text-warning" };

/** How a refund stands, by the state of its transaction. */
const LOOKS = {
    requested: WAITING,
    sent: WAITING,
    approved: { title: _t("Refunded"), icon: "fa-check-circle text-success" },
    declined: NOTHING,
    cancelled: NOTHING,
    failed: NOTHING,
    unknown: {
        title: _t("It is not known whether it was given back"),
        icon: "fa-question-circle text-danger",
        todo: _t("Do not give it back again: it stays among the card exceptions until somebody knows."),
    },
};

/** Card money that goes back to a card without an order; closing the dialog changes nothing about it. */
export class RefundDialog extends Component {
    static template = "pos_card_terminal.RefundDialog";
    static components = { Dialog };
    static props = {
        /** `{state, text}`, reactive. */
        shown: Object,
        /** Minor units. */
        amount: Number,
        terminal: String,
        close: Function,
    };

    setup() {
        this.pos = usePos();
        this.shown = useState(this.props.shown);
    }

    get look() {
        return LOOKS[this.shown.state];
    }

    get money() {
        return this.env.utils.formatCurrency(majorUnits(this.props.amount, this.pos.currency.decimal_places));
    }
}
