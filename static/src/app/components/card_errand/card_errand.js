import { _t } from "@web/core/l10n/translation";
import { Component, onMounted, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { majorUnits } from "../../utils/amounts";

const TITLES = {
    identify: _t("How the terminal stands"),
    totals: _t("Totals so far"),
    diagnosis: _t("Diagnosis"),
    initialisation: _t("Initialisation"),
};

/** What is asked of a terminal itself, at once, and what it said. */
export class CardErrandDialog extends Component {
    static template = "pos_card_terminal.CardErrand";
    static components = { Dialog };
    static props = { close: Function, terminal: String, kind: String };

    setup() {
        this.pos = usePos();
        this.state = useState({ running: true, text: "", answer: null });
        onMounted(() => this.run());
    }

    get title() {
        return TITLES[this.props.kind];
    }

    get terminal() {
        return this.pos.cardPayments.terminals.all.find((terminal) => terminal.uuid === this.props.terminal);
    }

    async run() {
        Object.assign(this.state, { running: true, answer: null, text: _t("Asking %s…", this.terminal.name) });
        const onProgress = (text) => (this.state.text = text || this.state.text);
        this.state.answer = await this.pos.cardPayments.errands.ask(this.terminal, this.props.kind, onProgress);
        Object.assign(this.state, { running: false, text: this.state.answer.text });
    }

    /** good: done, and ready where it said how it stands; bad: it wants something, or it could not be done. */
    get level() {
        const { ok, condition } = this.state.answer;
        return ok && ["", "ready"].includes(condition) ? "good" : "bad";
    }

    get rows() {
        const money = (minor) => this.pos.env.utils.formatCurrency(majorUnits(minor, this.pos.currency.decimal_places));
        return (this.state.answer?.totals || []).map((total) => ({ ...total, money: money(total.amount) }));
    }

    get remedy() {
        const { remedy = "" } = this.state.answer || {};
        return this.pos.cardPayments.terminals.can(this.terminal, { kind: remedy }) ? remedy : "";
    }

    makeReady() {
        const { remedy } = this;
        this.props.close();
        this.pos.cardPayments.errands.open(this.terminal, remedy);
    }
}
