import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import OrderPaymentValidation from "@point_of_sale/app/utils/order_payment_validation";

patch(OrderPaymentValidation.prototype, {
    async validateOrder() {
        if (this.order.cardIsFrozen) {
            return this.pos.refuseFrozen();
        }
        if (this._cardExcess() > 0) {
            this.pos.dialog.add(AlertDialog, {
                title: _t("The card paid more than the order"),
                body: _t(
                    "%s too much was paid by card. It cannot be given back in cash: put the missing products back on the order.",
                    this.pos.env.utils.formatCurrency(this._cardExcess())
                ),
            });
            return false;
        }
        return super.validateOrder(...arguments);
    },

    /** What cards paid above the order's total, in its currency; what a card paid is never change from the drawer. */
    _cardExcess() {
        const cards = this.order.payment_ids.filter((line) => line.isCardTerminal && line.isDone());
        const paid = cards.reduce((sum, line) => sum + line.amount, 0);
        const due = Math.max(this.order.priceIncl, 0);
        return paid > 0 && !this.order.isRefund ? Math.max(this.pos.currency.round(paid - due), 0) : 0;
    },
});
