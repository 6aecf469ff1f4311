import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { parseFloat as parseAmount } from "@web/views/fields/parsers";
import { NumberPopup } from "@point_of_sale/app/components/popups/number_popup/number_popup";
import { ask, makeAwaitable } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { majorUnits, minorUnits } from "../utils/amounts";

/** A tip above this part of the payment is asked about: a slip of the finger is money. */
const MUCH = 0.25;

/**
 * Tips that are added after the payment, on the terminal that took it, where the terminal says that it takes one.
 *
 * A paid order is not changed any more (invoices, fiscal chains): the tip is an order of its own, with Odoo's article
 * for tips, whose payment line names the payment it is a tip on. From there on it is a card payment as any other.
 */
export class CardTipsAfterwards {
    constructor(pos, terminals, tips) {
        this.pos = pos;
        this.terminals = terminals;
        this.tips = tips;
    }

    /** The card payment of a paid order that a tip can be added to; undefined where there is none. */
    lineOf(order) {
        const isPlain = order?.finalized && !order.isRefund && order.lines.every((line) => !line.refundedQty);
        return isPlain && this.tips.accepted ? order.payment_ids.find((line) => this._takes(line)) : undefined;
    }

    _takes(line) {
        const isPaid = line.isCardTerminal && line.card_state === "approved" && line.payment_status === "done";
        const taker = isPaid && line.card_tippable && this.terminals.find(line.card_terminal_id);
        return Boolean(taker && line.amount > 0 && this.terminals.can(taker, { kind: "tip" }) && !this._isTipped(line));
    }

    _isTipped(line) {
        return this._lines(line).some((tip) => tip.payment_status === "done");
    }

    /** Payment lines for a tip on a payment, however they ended. */
    _lines({ card_transaction_uuid: uuid }) {
        return this.pos.models["pos.payment"].filter((line) => line.card_tipped_uuid === uuid);
    }

    /** Asks how much, and sends it to the terminal; a tip that was begun and has not ended is gone on with. */
    async add(order) {
        const line = this.lineOf(order);
        const begun = this._lines(line).find((tip) => !tip.pos_order_id.finalized)?.pos_order_id;
        if (begun) {
            this.pos.setOrder(begun);
            return this.pos.navigate("PaymentScreen", { orderUuid: begun.uuid });
        }
        const minor = await this._amount(line);
        return minor && this._send(line, minor);
    }

    async _amount(line) {
        const { dialog, currency, env } = this.pos;
        const typed = await makeAwaitable(dialog, NumberPopup, {
            title: _t("Tip"),
            subtitle: _t("Added on the terminal to the %s that the card has paid.", env.utils.formatCurrency(line.amount)),
            formatDisplayedValue: (text) => `${currency.symbol} ${text}`,
        });
        const minor = typed === undefined ? 0 : this._minor(typed);
        if (minor === null) {
            dialog.add(AlertDialog, { title: _t("Tip"), body: _t("This is no amount. Type it as 2.00.") });
            return 0;
        }
        const isMuch = minor > MUCH * minorUnits(line.amount, currency.decimal_places);
        const amount = env.utils.formatCurrency(majorUnits(minor, currency.decimal_places));
        const isMeant = () => ask(dialog, { title: _t("Is the tip right?"), body: _t("%s is more than a quarter of what was paid.", amount) });
        return !isMuch || (await isMeant()) ? minor : 0;
    }

    /** Minor units of what was typed; null where it is no amount. */
    _minor(typed) {
        try {
            const minor = minorUnits(parseAmount(typed || "0"), this.pos.currency.decimal_places);
            return minor >= 0 ? minor : null;
        } catch {
            return null;
        }
    }

    async _send(line, minor) {
        const order = this.pos.addNewOrder();
        const paid = line.pos_order_id;
        const partner = paid.getPartner();
        if (partner) {
            order.setPartner(partner);
        }
        order.general_customer_note = String(_t("Tip on %s", paid.pos_reference));
        const tip = this.pos.models["pos.payment"].create({
            pos_order_id: order,
            payment_method_id: line.payment_method_id,
            card_terminal_id: line.card_terminal_id,
            card_tipped_uuid: line.card_transaction_uuid,
        });
        await this.tips.add(tip, minor);
        order.selectPaymentline(tip);
        this.pos.navigate("PaymentScreen", { orderUuid: order.uuid });
        return tip.pay();
    }
}
