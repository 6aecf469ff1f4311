import { patch } from "@web/core/utils/patch";
import { TicketScreen } from "@point_of_sale/app/screens/ticket_screen/ticket_screen";
import { CardSlipDialog } from "../components/card_slip/card_slip";

patch(TicketScreen.prototype, {
    shouldHideDeleteButton(order) {
        return order.cardIsKept || super.shouldHideDeleteButton(...arguments);
    },

    /** Card payments of the selected order that can be given back as a whole. */
    get cardLinesToGiveBack() {
        const order = this.getSelectedOrder();
        return order ? this.pos.cardPayments.givingBack.linesOf(order) : [];
    },

    get cardGivesBackByReversal() {
        const { givingBack } = this.pos.cardPayments;
        return this.cardLinesToGiveBack.every((line) => givingBack.way(line) === "reversal");
    },

    get hasCardSlips() {
        const order = this.getSelectedOrder();
        const { terminals } = this.pos.cardPayments;
        const reprints = (line) => terminals.can(terminals.find(line.card_terminal_id), { kind: "reprint" });
        return Boolean(order?.cardSlips.length || order?.payment_ids.some((line) => line.isCardTerminal && reprints(line)));
    },

    get canAddCardTip() {
        return Boolean(this.pos.cardPayments.tipsAfterwards.lineOf(this.getSelectedOrder()));
    },

    addCardTip() {
        return this.pos.cardPayments.tipsAfterwards.add(this.getSelectedOrder());
    },

    showCardSlips() {
        this.dialog.add(CardSlipDialog, { order: this.getSelectedOrder() });
    },

    /** Makes a refund order of everything, as Odoo does, and gives its card payments back to their cards. */
    async giveCardPaymentsBack() {
        const order = this.getSelectedOrder();
        const lines = this.cardLinesToGiveBack;
        const { givingBack, follower } = this.pos.cardPayments;
        await givingBack.learnTips(lines);
        if (!lines.length || !(await givingBack.confirm(lines))) {
            return;
        }
        for (const line of order.lines) {
            this.getToRefundDetail(line).qty = line.qty;
        }
        await this.onDoRefund();
        const refund = this.pos.getOrder();
        if (!refund.isRefund || refund.refunded_order_id?.uuid !== order.uuid) {
            return; // Odoo said why
        }
        for (const tip of lines.map((line) => givingBack.tipIn(line)).filter(Boolean)) {
            await follower.tips.takeBack(refund, tip);
        }
        for (const line of lines) {
            if (!(await givingBack.start(line, refund))) {
                return; // the line says why, and what can be done
            }
        }
    },
});
