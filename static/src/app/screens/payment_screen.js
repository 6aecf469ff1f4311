import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { onMounted } from "@odoo/owl";
import { PaymentScreen } from "@point_of_sale/app/screens/payment_screen/payment_screen";
import { PaymentScreenPaymentLines } from "@point_of_sale/app/screens/payment_screen/payment_lines/payment_lines";
import { CardLine } from "../components/card_line/card_line";
import { TerminalChoice } from "../components/terminal_choice/terminal_choice";

patch(PaymentScreen, { components: { ...PaymentScreen.components, TerminalChoice } });
patch(PaymentScreenPaymentLines, { components: { ...PaymentScreenPaymentLines.components, CardLine } });

patch(PaymentScreen.prototype, {
    setup() {
        super.setup(...arguments);
        const refund = this.isRefundOrder;
        this.payment_methods_from_config = this.payment_methods_from_config.filter((method) =>
            this.pos.cardPayments.offers(method, { refund })
        );
        onMounted(() => {
            this.pos.cardPayments.follower.resume();
            this.pos.cardPayments.otherTills.check(this.currentOrder);
        });
    },

    get hasCardTerminal() {
        return this.payment_methods_from_config.some((method) => method.use_payment_terminal === "card_terminal");
    },

    async addNewPaymentLine() {
        return this.currentOrder.cardIsFrozen ? this.pos.refuseFrozen() : super.addNewPaymentLine(...arguments);
    },

    async addTip() {
        return this.currentOrder.cardIsFrozen ? this.pos.refuseFrozen() : super.addTip(...arguments);
    },

    updateSelectedPaymentline() {
        const { card_reversed_uuid: reversed, card_tipped_uuid: tipped } = this.selectedPaymentLine || {};
        const isFixed = this.currentOrder.cardIsFrozen || reversed || tipped;
        return isFixed ? undefined : super.updateSelectedPaymentline(...arguments);
    },

    deletePaymentLine(uuid) {
        const line = this.paymentLines.find((line) => line.uuid === uuid);
        if (!line.cardIsKept) {
            return super.deletePaymentLine(...arguments);
        }
        this.dialog.add(AlertDialog, {
            title: _t("The card payment cannot be deleted"),
            body: line.cardIsOpen
                ? _t("The card may have been charged. Do not take it again: find out what the terminal says first.")
                : _t("The card was charged. Cancel the payment, or finish the order and refund it."),
        });
    },

    /** The driver, not this tab, knows whether a terminal is in use; and whoever learns of an approval validates. */
    async sendPaymentRequest(line) {
        if (!line.isCardTerminal) {
            return super.sendPaymentRequest(...arguments);
        }
        this.numberBuffer.capture();
        this.paymentLines.forEach((other) => (other.can_be_reversed = false));
        await line.pay();
    },

    async sendPaymentCancel(line) {
        if (!line.isCardTerminal) {
            return super.sendPaymentCancel(...arguments);
        }
        await line.payment_method_id.payment_terminal.sendPaymentCancel(this.currentOrder, line.uuid);
    },

    /** Only the terminal's word approves. */
    async sendForceDone(line) {
        return line.isCardTerminal ? undefined : super.sendForceDone(...arguments);
    },
});
