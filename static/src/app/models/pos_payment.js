import { patch } from "@web/core/utils/patch";
import { PosPayment } from "@point_of_sale/app/models/pos_payment";
import { cardRow } from "../utils/card_states";

patch(PosPayment.prototype, {
    initState() {
        super.initState();
        this.uiState = {
            ...this.uiState,
            /** This browser pressed Card: it validates the order when the card has paid. */
            cardStartedHere: false,
            /** What the cashier said the slip says, while a manager has not confirmed it: paid, not_paid. */
            cardAnswer: null,
            /** Nothing answered, so that the customer may pay on the terminal alone. */
            cardUnreachable: false,
            /** Uuid of a payment typed by hand while Odoo has not confirmed it. */
            cardByHand: null,
            /** The merchant's slip, while this page has it. */
            cardMerchantSlip: "",
            /** What was added to it as a tip afterwards (minor units), as far as this page has asked. */
            cardAdded: 0,
            /** What the terminal wants done before it takes payments: a kind of request, "" where nothing. */
            cardRemedy: "",
        };
    },

    get isCardTerminal() {
        return this.payment_method_id?.use_payment_terminal === "card_terminal";
    },

    /** What the till tells Odoo of a transaction that no driver has reported. */
    get cardKind() {
        return this.amount < 0 ? "refund" : this.card_tipped_uuid ? "tip" : "sale";
    },

    /** Its transaction is about to start, may still charge, or may have charged: the order is frozen. */
    get cardIsOpen() {
        return this.isCardTerminal && Boolean(cardRow(this).open);
    },

    /** The line holds money, or may: it cannot be deleted. */
    get cardIsKept() {
        return this.isCardTerminal && Boolean(cardRow(this).kept);
    },

    /** The cardholder's signature was not looked at, or was not all right and the money is not back yet. */
    get cardSignatureIsOpen() {
        const isAsked = this.isCardTerminal && this.card_state === "approved" && this.payment_status === "done";
        return isAsked && ["wanted", "bad"].includes(this.card_signature) && !this.cardIsGivenBack;
    },

    /** The line of this order that gives this one back, done or under way. */
    get cardBackLine() {
        const uuid = this.isCardTerminal && this.card_transaction_uuid;
        const isBack = (line) => line.card_reversed_uuid === uuid && (line.payment_status === "done" || line.cardIsOpen);
        return uuid ? this.pos_order_id?.payment_ids.find(isBack) : undefined;
    },

    /** Its money went back to the card. */
    get cardIsGivenBack() {
        return this.cardBackLine?.payment_status === "done";
    },

    /** The answer of the payment interface is not the last word: the transaction's state is. */
    handlePaymentResponse(isPaymentSuccessful) {
        if (!this.isCardTerminal) {
            return super.handlePaymentResponse(...arguments);
        }
        this.can_be_reversed = false;
        return this.payment_status === "done";
    },

    /** `backend` is how the screens delete a line; what the server has deleted goes without it. */
    delete(opts = {}) {
        return opts.backend && this.cardIsKept ? false : super.delete(...arguments);
    },
});
