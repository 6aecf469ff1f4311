import { makeAwaitable } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { CardSettlementDialog } from "../components/card_settlement/card_settlement";

/** The end of day of terminals that make theirs when the till closes its session, before the money is counted. */
export class CardDayEnd {
    constructor(pos, terminals) {
        this.pos = pos;
        this.terminals = terminals;
        /** How many card payments a terminal's last end of day here came after, by terminal. */
        this.made = new Map();
    }

    /**
     * Lets each terminal that is set to it make its end of day, unless nothing was paid since the last one.
     * @returns {Promise<boolean>} whether the cashier goes on with closing
     */
    async beforeClosing() {
        for (const terminal of this.terminals.all) {
            if (terminal.settle_at_close && this.terminals.can(terminal, { kind: "settlement" }) && this._isDue(terminal)) {
                if (!(await makeAwaitable(this.pos.dialog, CardSettlementDialog, { terminal: terminal.uuid }))) {
                    return false;
                }
            }
        }
        return true;
    }

    _isDue(terminal) {
        return this.made.get(terminal.uuid) !== this._paid();
    }

    /** A terminal has made its end of day. */
    wasMade(terminal) {
        this.made.set(terminal.uuid, this._paid());
    }

    _paid() {
        return this.pos.models["pos.payment"].filter((line) => line.isCardTerminal && line.card_state === "approved").length;
    }
}
