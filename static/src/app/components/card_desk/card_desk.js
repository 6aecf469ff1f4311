import { _t } from "@web/core/l10n/translation";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { Component, onWillStart, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { majorUnits } from "../../utils/amounts";
import { DECISIONS, OFFLINE } from "../../utils/card_decision_words";

/** How each exception looks in the list. */
const ICONS = {
    unknown: "fa-question-circle text-danger",
    no_order: "fa-chain-broken text-warning",
    amount: "fa-balance-scale text-warning",
    typed_by_hand: "fa-pencil text-info",
};

/** The short exceptions desk: card payments of this point of sale that somebody must settle. */
export class CardDeskDialog extends Component {
    static template = "pos_card_terminal.CardDesk";
    static components = { Dialog };
    static props = { close: Function };

    setup() {
        this.pos = usePos();
        this.offlineText = OFFLINE;
        this.desk = this.pos.cardPayments.desk;
        this.list = useState(this.desk.state);
        this.state = useState({ key: null });
        onWillStart(() => this.desk.refresh());
    }

    get row() {
        return this.list.rows.find((row) => this.key(row) === this.state.key) || this.list.rows[0];
    }

    get actions() {
        return (this.row.actions || []).filter((action) => DECISIONS[action]).map((action) => ({ action, ...DECISIONS[action] }));
    }

    /** A line that has no transaction is told by itself. */
    key(row) {
        return row.uuid || row.line;
    }

    icon(row) {
        return ICONS[row.exception] || "fa-exclamation-circle text-warning";
    }

    money(row, minor = row.amount) {
        return this.env.utils.formatCurrency(majorUnits(minor, this.pos.currency.decimal_places));
    }

    when(text) {
        return text ? formatDateTime(deserializeDateTime(text.replace("T", " ").replace(/(\.\d+)?Z$/, ""))) : "";
    }

    card(row) {
        return [row.brand, row.last4 && `•••• ${row.last4}`].filter(Boolean).join(" ");
    }

    subtitle(row) {
        return [this.when(row.requested_at), row.reference, this.card(row)].filter(Boolean).join(" · ");
    }

    /** The evidence side by side: what, at the till, at the terminal. */
    get details() {
        const row = this.row;
        if (row.details) {
            return row.details;
        }
        const approved = row.amount_approved ? this.money(row, row.amount_approved) : "";
        return [
            [_t("Amount"), this.money(row), approved],
            [_t("Order"), row.reference || _t("none"), ""],
            [_t("When"), this.when(row.requested_at), ""],
            [_t("Card"), "", this.card(row)],
            [_t("Authorisation"), "", row.auth_code || ""],
            [_t("Said"), "", row.text || ""],
        ].filter(([, till, terminal]) => till || terminal);
    }

    settle(action) {
        this.pos.cardPayments.decisions.settle(this.row, action);
    }
}
