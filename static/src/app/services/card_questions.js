import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { makeAwaitable } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { UnknownDialog } from "../components/unknown_dialog/unknown_dialog";
import { minorUnits } from "../utils/amounts";
import { rpcText } from "../utils/card_words";

/**
 * Questions to the cashier about payments whose result nobody knows. The cashier's word is provisional: Odoo keeps
 * it until a manager confirms it, and the order stays frozen until then.
 */
export class CardQuestions {
    constructor(pos, terminals, follower) {
        this.pos = pos;
        this.terminals = terminals;
        this.follower = follower;
    }

    /** A line's result turned out not to be known: the order goes to Odoo as a draft, the cashier is asked. */
    async becameUnknown(line) {
        const order = line.pos_order_id;
        this._saveDraft(order);
        if (this._isShown(order)) {
            await this.ask(line);
        } else {
            const text = _t("The result of a card payment is not known. Do not take the card again.");
            this.follower.notify(order, text, "danger");
        }
    }

    /** After a reload: orders whose result is not known and that Odoo could not take before are sent to it. */
    async saveDrafts() {
        const open = this.pos.models["pos.payment"].filter((line) => line.card_state === "unknown");
        for (const order of new Set(open.map((line) => line.pos_order_id))) {
            if (!order.isSynced) {
                await this._saveDraft(order);
            }
        }
    }

    /** Before a terminal is used again, the open question about its last payment comes first. */
    async askFirst(terminal) {
        const isOpenHere = (line) =>
            line.card_state === "unknown" && line.card_terminal_id?.id === terminal.id && !line.uiState.cardAnswer;
        for (const line of this.pos.models["pos.payment"].filter(isOpenHere)) {
            await this.follower.reconsider([line]);
            if (isOpenHere(line)) {
                await this.ask(line, { before: true });
            }
        }
    }

    /** What does the terminal's slip say? `before`: asked in front of another sale, which goes on afterwards. */
    async ask(line, { before = false } = {}) {
        const said = await makeAwaitable(this.pos.dialog, UnknownDialog, { line, before });
        if (!said || line.card_state !== "unknown") {
            return;
        }
        if (said.answer === "park") {
            return before ? undefined : this.park();
        }
        try {
            await this.terminals.rpc("card_terminal_answer", {
                uuid: line.card_transaction_uuid,
                answer: said.answer,
                authorisation: said.authorisation,
                terminal: line.card_terminal_id.uuid,
                order: line.pos_order_id.uuid,
                line: line.uuid,
                kind: line.cardKind,
                amount: Math.abs(minorUnits(line.amount, this.pos.currency.decimal_places)),
            });
            line.uiState.cardAnswer = said.answer;
            this.pos.data.synchronizeLocalDataInIndexedDB();
        } catch (error) {
            this.pos.dialog.add(AlertDialog, {
                title: _t("Your answer could not be stored"),
                body: rpcText(error, _t("Odoo cannot be reached. Answer again when the connection is back.")),
            });
        }
    }

    /** Leaves the order as it is and serves the next customer. */
    park() {
        const order = this.pos.getEmptyOrder();
        this.pos.setOrder(order);
        this.pos.navigate("ProductScreen", { orderUuid: order.uuid });
    }

    /** The open question must survive this browser. */
    async _saveDraft(order) {
        if (!order.finalized && order.lines.length) {
            this.pos.addPendingOrder([order.id]);
            await this.pos.syncAllOrders({ orders: [order] });
        }
    }

    _isShown(order) {
        const { current, params } = this.pos.router.state;
        return current === "PaymentScreen" && params.orderUuid === order.uuid;
    }
}
