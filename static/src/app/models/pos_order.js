import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { PosOrder } from "@point_of_sale/app/models/pos_order";
import { PosOrderline } from "@point_of_sale/app/models/pos_order_line";

/** What the cashier is told when an order with an open card payment is to be changed. */
export const FROZEN = _t(
    "A card payment of this order is not finished. Do not take the money again: finish it first, or leave the order as it is and serve the next customer."
);

patch(PosOrder.prototype, {
    initState() {
        super.initState();
        /** Row of `card_terminal_transactions`: what another till has open on this order. */
        this.uiState.cardElsewhere = null;
    },

    /** A card payment of this order may still charge or may have charged, here or on another till. */
    get cardIsFrozen() {
        return this.payment_ids.some((line) => line.cardIsOpen) || Boolean(this.uiState.cardElsewhere);
    },

    /** The order holds card money, or may: it cannot be deleted. */
    get cardIsKept() {
        const holds = (line) => line.cardIsKept && !line.cardIsGivenBack && !this._givesBack(line);
        return this.cardIsFrozen || (!this.finalized && this.payment_ids.some(holds));
    },

    /** A signature is still to be looked at: the order is not finished. */
    get cardSignatureIsOpen() {
        return this.payment_ids.some((line) => line.cardSignatureIsOpen);
    },

    /** Whether a line gives back another one of this order. */
    _givesBack(line) {
        return this.payment_ids.some((other) => other.cardBackLine?.uuid === line.uuid);
    },

    /** The customer's slips that terminals gave to the till, as text. */
    get cardSlips() {
        return this.payment_ids.filter((line) => line.isCardTerminal && line.ticket).map((line) => line.ticket);
    },

    addPaymentline(paymentMethod) {
        if (this.cardIsFrozen) {
            return { status: false, data: FROZEN };
        }
        // An attempt that ended without a charge makes room for another way to pay.
        const ended = (line) => line.isCardTerminal && ["retry", "pending"].includes(line.payment_status);
        this.payment_ids.filter(ended).forEach((line) => this.removePaymentline(line));
        return super.addPaymentline(...arguments);
    },

    removePaymentline(line) {
        return line.cardIsKept ? false : super.removePaymentline(...arguments);
    },

    canBeValidated() {
        return !this.cardIsFrozen && !this.cardSignatureIsOpen && super.canBeValidated(...arguments);
    },
});

patch(PosOrderline.prototype, {
    setQuantity() {
        return this.order_id?.cardIsFrozen
            ? { title: _t("The order is frozen"), body: FROZEN }
            : super.setQuantity(...arguments);
    },
});
