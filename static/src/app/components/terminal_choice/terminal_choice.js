import { _t } from "@web/core/l10n/translation";
import { Component } from "@odoo/owl";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { useService } from "@web/core/utils/hooks";
import { SelectionPopup } from "@point_of_sale/app/components/popups/selection_popup/selection_popup";
import { makeAwaitable } from "@point_of_sale/app/utils/make_awaitable_dialog";

/** The terminal that the next card payment goes to, and a way to take a spare. */
export class TerminalChoice extends Component {
    static template = "pos_card_terminal.TerminalChoice";
    static props = {};

    setup() {
        this.pos = usePos();
        this.dialog = useService("dialog");
    }

    get terminals() {
        return this.pos.cardPayments.terminals;
    }

    async choose() {
        const { all, current } = this.terminals;
        const terminal = await makeAwaitable(this.dialog, SelectionPopup, {
            title: _t("Which terminal?"),
            list: all.map((item) => ({ id: item.id, label: item.name, item, isSelected: item.id === current.id })),
        });
        if (terminal) {
            this.terminals.choose(terminal);
        }
    }
}
