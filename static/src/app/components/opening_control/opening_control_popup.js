import { patch } from "@web/core/utils/patch";
import { OpeningControlPopup } from "@point_of_sale/app/components/popups/opening_control_popup/opening_control_popup";

patch(OpeningControlPopup.prototype, {
    async confirm() {
        await super.confirm(...arguments);
        await this.pos.cardPayments.sessionOpened();
    },
});
