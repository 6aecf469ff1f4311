import { patch } from "@web/core/utils/patch";
import { ReceiptScreen } from "@point_of_sale/app/screens/receipt_screen/receipt_screen";

patch(ReceiptScreen.prototype, {
    get canAddCardTip() {
        return Boolean(this.pos.cardPayments.tipsAfterwards.lineOf(this.currentOrder));
    },

    addCardTip() {
        return this.pos.cardPayments.tipsAfterwards.add(this.currentOrder);
    },
});
