import { _t } from "@web/core/l10n/translation";
import OrderPaymentValidation from "@point_of_sale/app/utils/order_payment_validation";

/**
 * Validates an order that a card has paid, wherever the cashier is meanwhile: who already serves another customer
 * stays there and is told.
 */
export class CardOrderValidation extends OrderPaymentValidation {
    async shouldHideValidationBehindFeedbackScreen() {
        if (this.pos.getOrder()?.uuid === this.orderUuid && this.pos.router.state.current !== "LoginScreen") {
            return super.shouldHideValidationBehindFeedbackScreen();
        }
        await this.finalizeValidation();
        this.pos.notification.add(_t("%s: the card payment was approved.", this.order.pos_reference), {
            type: "success",
        });
    }
}
