import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { Component, onWillUnmount, useState } from "@odoo/owl";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { cardRow } from "../../utils/card_states";

const ANSWERS = {
    paid: _t("You answered: paid. Waiting for a manager's confirmation."),
    not_paid: _t("You answered: not paid. Waiting for a manager's confirmation."),
};

const ICONS = {
    info: "fa-credit-card card-terminal-waiting",
    secondary: "fa-credit-card",
    success: "fa-check-circle",
    warning: "fa-exclamation-triangle",
    danger: "fa-exclamation-triangle",
};

/** What a card transaction does, below its payment line: title, the terminal's words, time left and what can be done. */
export class CardLine extends Component {
    static template = "pos_card_terminal.CardLine";
    static props = {
        line: Object,
        send: Function,
        cancel: Function,
    };

    setup() {
        this.pos = usePos();
        this.progress = useState(this.pos.cardPayments.follower.progress);
        this.clock = useState({ now: Date.now() });
        const timer = browser.setInterval(() => (this.clock.now = Date.now()), 1000);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    get row() {
        return cardRow(this.props.line);
    }

    get icon() {
        return ICONS[this.tone];
    }

    get state() {
        const { line } = this.props;
        if (line.cardSignatureIsOpen) {
            return `signature_${line.card_signature}`;
        }
        return line.payment_status === "waiting" ? "checking" : line.card_state || "ready";
    }

    get title() {
        const { line } = this.props;
        if (line.cardIsGivenBack) {
            return _t("Given back");
        }
        if (line.card_state !== "approved" || this.row.busy) {
            return this.row.title;
        }
        if (line.amount >= 0) {
            return line.card_tipped_uuid ? _t("The tip was added") : this.row.title;
        }
        return line.card_reversed_uuid ? _t("The money went back") : _t("Refunded");
    }

    get tone() {
        return this.props.line.cardIsGivenBack ? "secondary" : this.row.tone;
    }

    /** "reversal" or "refund" where this payment of an order that is not paid yet can be given back. */
    get way() {
        const { line } = this.props;
        const order = line.pos_order_id;
        return order.finalized || order.cardIsFrozen ? null : this.pos.cardPayments.givingBack.way(line);
    }

    giveBack() {
        this.pos.cardPayments.givingBack.cancel(this.props.line);
    }

    get texts() {
        const { line } = this.props;
        const live = this.row.busy && this.progress[line.uuid]?.text;
        const card = this.row.status === "done" && this.cardText;
        return [live || card || line.card_text, line.cardIsOpen && ANSWERS[line.uiState.cardAnswer]].filter(Boolean);
    }

    get cardText() {
        const { card_brand: brand, card_no: last4, payment_method_authcode: auth } = this.props.line;
        const number = last4 && `•••• ${last4}`;
        return [brand, number, auth && _t("authorisation %s", auth)].filter(Boolean).join(" · ");
    }

    /** Minutes and seconds the terminal has left, or false. */
    get timeLeft() {
        const until = this.row.busy && this.progress[this.props.line.uuid]?.until;
        const left = until ? Math.max(Math.round((until - this.clock.now) / 1000), 0) : 0;
        return left > 0 && `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }

    /** The cashier has said what the slip says: nothing is left to do here but to go on. */
    get isAnswered() {
        return Boolean(this.props.line.uiState.cardAnswer);
    }

    has(button) {
        return this.row.buttons.includes(button);
    }

    /** Where the protocol has no abort, the customer has one: the red key. */
    get canCancel() {
        return this.has("cancel") && this.props.line.card_terminal_id?.can_cancel;
    }

    get showRedKey() {
        return this.has("cancel") && !this.props.line.card_terminal_id?.can_cancel;
    }

    /** A manager may decide: nobody knows, or the driver that should does not answer. */
    get canDecide() {
        return this.has("decide") || Boolean(this.row.busy && this.progress[this.props.line.uuid]?.silent);
    }

    /** The customer may have paid, or may pay, on the terminal alone: nothing was sent to it. */
    get canTypeByHand() {
        const { line } = this.props;
        const isSale = line.amount > 0 && !line.card_tipped_uuid;
        return isSale && line.card_state === "failed" && line.uiState.cardUnreachable;
    }

    /** What the terminal wants done before it takes payments, where it can be asked for it; "" where nothing. */
    get remedy() {
        const { card_terminal_id: terminal, uiState } = this.props.line;
        const { terminals } = this.pos.cardPayments;
        const isOffered = this.has("retry") && terminals.can(terminals.find(terminal), { kind: uiState.cardRemedy });
        return isOffered ? uiState.cardRemedy : "";
    }

    makeReady() {
        this.pos.cardPayments.errands.open(this.props.line.card_terminal_id, this.remedy);
    }

    signatureIsGood() {
        this.pos.cardPayments.signatures.good(this.props.line);
    }

    signatureIsBad() {
        this.pos.cardPayments.signatures.bad(this.props.line);
    }

    printMerchantSlip() {
        this.pos.cardPayments.signatures.print(this.props.line);
    }

    decide() {
        this.pos.cardPayments.decisions.force(this.props.line);
    }

    typeByHand() {
        this.pos.cardPayments.decisions.typedByHand(this.props.line);
    }

    ask() {
        this.pos.cardPayments.questions.ask(this.props.line);
    }

    park() {
        this.pos.cardPayments.questions.park();
    }
}
