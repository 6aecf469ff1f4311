import { patch } from "@web/core/utils/patch";
import { useState } from "@odoo/owl";
import { Navbar } from "@point_of_sale/app/components/navbar/navbar";
import { CardDiagnosticsDialog } from "../card_diagnostics/card_diagnostics";
import { CardDeskDialog } from "../card_desk/card_desk";
import { CardSettlementDialog } from "../card_settlement/card_settlement";

patch(Navbar.prototype, {
    setup() {
        super.setup(...arguments);
        this.cardDesk = useState(this.pos.cardPayments.desk.state);
    },

    get hasCardTerminals() {
        return this.pos.cardPayments.terminals.all.length > 0;
    },

    openCardDesk() {
        this.dialog.add(CardDeskDialog);
    },

    openCardSettlement() {
        this.dialog.add(CardSettlementDialog);
    },

    openCardDiagnostics() {
        this.dialog.add(CardDiagnosticsDialog);
    },
});
