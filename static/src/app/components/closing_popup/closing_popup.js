import { patch } from "@web/core/utils/patch";
import { ClosePosPopup } from "@point_of_sale/app/components/popups/closing_popup/closing_popup";
import { majorUnits } from "../../utils/amounts";

ClosePosPopup.props = [...ClosePosPopup.props, "card_terminal?"];

patch(ClosePosPopup.prototype, {
    /** What the terminals' day says beside the counted money: `{tips, contracts, lines}`; lines need somebody's eye. */
    get cardDay() {
        const { tips = {}, contracts = [], differences = [], signatures = [], typed_by_hand: typed = [] } =
            this.props.card_terminal || {};
        const lines = [...differences, ...signatures, ...typed];
        const paid = ["card", "cash", "other"].filter((way) => tips[way]);
        return { tips, paid, contracts, lines, isShown: Boolean(paid.length || contracts.length || lines.length) };
    },

    cardMoney(minor) {
        return this.env.utils.formatCurrency(majorUnits(minor, this.pos.currency.decimal_places));
    },
});
