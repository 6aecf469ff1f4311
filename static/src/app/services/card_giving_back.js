import { _t } from "@web/core/l10n/translation";
import { ask } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { majorUnits } from "../utils/amounts";

/**
 * Money of a card payment that goes back to the card it came from: cancelled on the terminal that took it (reversal)
 * where that terminal can, else refunded.
 *
 * The payment and what gives it back are two payment lines. On an order that is not paid yet both stay on it, and the
 * due comes back; of a paid order, the second one stands on the refund order. Odoo decides whether it is allowed.
 */
export class CardGivingBack {
    constructor(pos, terminals) {
        this.pos = pos;
        this.terminals = terminals;
    }

    /** How a paid line can be given back: "reversal", "refund", or null where it cannot. */
    way(line) {
        const isPaid = line.isCardTerminal && line.payment_status === "done" && line.amount > 0;
        if (!isPaid || !line.card_transaction_uuid || line.cardBackLine) {
            return null;
        }
        return this._canReverse(line) ? "reversal" : this.terminals.for({ kind: "refund" }) ? "refund" : null;
    }

    /** What a line asks of a terminal. */
    kindOf(line) {
        if (line.amount >= 0) {
            return line.card_tipped_uuid ? "tip" : "sale";
        }
        const original = this._originalOf(line);
        const isWhole = original && this.pos.currency.isZero(this._whole(original) + line.amount);
        return isWhole && this._canReverse(original) ? "reversal" : "refund";
    }

    /** Only the terminal that approved a payment can cancel it. */
    _canReverse(line) {
        const taker = this.terminals.find(line.card_terminal_id);
        const isItself = line.card_state === "approved" && !line.card_tipped_uuid; // a tip goes back with its payment
        return isItself && this.terminals.can(taker, { kind: "reversal" });
    }

    /** What a payment and the tip that was added to it came to: a terminal cancels both. */
    _whole(line) {
        return line.amount + majorUnits(line.uiState.cardAdded || 0, this.pos.currency.decimal_places);
    }

    /** Learns of tips that were added to payments, perhaps at another till. Without Odoo nothing goes back anyway. */
    async learnTips(lines) {
        try {
            const uuids = lines.map((line) => line.card_transaction_uuid);
            for (const { uuid, added } of await this.terminals.rpc("card_terminal_transactions", { orders: [], uuids })) {
                lines.find((line) => line.card_transaction_uuid === uuid).uiState.cardAdded = added;
            }
        } catch {
            return;
        }
    }

    /** What giving a line back takes back of tips, in minor units: nothing where it is refunded. */
    tipIn(line) {
        return this.way(line) === "reversal" ? line.uiState.cardAdded || 0 : 0;
    }

    _amount(line) {
        return this.way(line) === "reversal" ? this._whole(line) : line.amount;
    }

    _originalOf(line) {
        const uuid = line.card_reversed_uuid;
        return uuid ? this.pos.models["pos.payment"].find((other) => other.card_transaction_uuid === uuid) : undefined;
    }

    /** The terminal a line goes to; undefined where none can. */
    terminalOf(line) {
        const kind = this.kindOf(line);
        if (kind === "reversal") {
            return this.terminals.find(this._originalOf(line).card_terminal_id);
        }
        if (kind === "tip") {
            return this.terminals.find(line.card_terminal_id);
        }
        return this.terminals.for({ kind, means: line.payment_method_id.card_means || "card" });
    }

    /** The lines of a paid order that can be given back as a whole, if nothing of the order was refunded yet. */
    linesOf(order) {
        const untouched = order.finalized && !order.isRefund && order.lines.every((line) => !line.refundedQty);
        return untouched ? order.payment_ids.filter((line) => this.way(line)) : [];
    }

    /** Asks the cashier, then gives a line of an order that is not paid yet back. */
    async cancel(line) {
        if (await this.confirm([line])) {
            await this.start(line, line.pos_order_id);
        }
    }

    confirm(lines) {
        const amount = this.pos.env.utils.formatCurrency(lines.reduce((sum, line) => sum + this._amount(line), 0));
        const reversal = lines.every((line) => this.way(line) === "reversal");
        return ask(this.pos.dialog, {
            title: reversal ? _t("Cancel the card payment?") : _t("Give the money back by card?"),
            body: reversal
                ? _t("%s is cancelled on the terminal that took it. The customer is not charged.", amount)
                : _t("%s goes back by card. The customer presents the card again.", amount),
            confirmLabel: reversal ? _t("Cancel the payment") : _t("Refund"),
            cancelLabel: _t("Keep it"),
        });
    }

    /** Adds the line that gives another one back to an order, and sends it. */
    start(line, order) {
        const amount = this._amount(line); // before there is a line that gives it back
        const back = this.pos.models["pos.payment"].create({
            pos_order_id: order,
            payment_method_id: line.payment_method_id,
            card_terminal_id: line.card_terminal_id,
            card_reversed_uuid: line.card_transaction_uuid,
        });
        back.setAmount(-amount);
        order.selectPaymentline(back);
        return back.pay();
    }
}
