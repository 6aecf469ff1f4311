import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { ConnectionLostError } from "@web/core/network/rpc";
import { _t } from "@web/core/l10n/translation";
import { uuidv4 } from "@point_of_sale/utils";
import { ManagerDialog } from "../components/manager_dialog/manager_dialog";
import { minorUnits, majorUnits } from "../utils/amounts";
import { CARD_STATES } from "../utils/card_states";
import { DECISIONS, OFFLINE } from "../utils/card_decision_words";
import { fromOdoo } from "../utils/card_transaction";
import { rpcText } from "../utils/card_words";

/** Why, where the manager has said it in Odoo already. */
const ALLOWED = _t("A manager has allowed it in Odoo.");

/** Decisions that give a line a transaction of which it has not heard. */
const NEW_ON_ITS_LINE = new Set(["typed_by_hand", "attach"]);

/**
 * What only a manager may decide about card money. The dialog collects it, Odoo checks PIN and rights and decides
 * (`card_terminal_decide`): nothing here makes a payment count.
 */
export class CardDecisions {
    /** @param {() => void} onDecided after Odoo has taken a decision, or a terminal has carried it out */
    constructor(pos, terminals, follower, refunds, onDecided, park) {
        this.pos = pos;
        this.terminals = terminals;
        this.follower = follower;
        this.refunds = refunds;
        this.onDecided = onDecided;
        this.park = park;
    }

    /** Paid or not paid: ends a line whose result nobody knows. */
    async force(line) {
        await this._saveDraft(line.pos_order_id);
        await this._ask({
            title: _t("A manager decides"),
            actions: ["force_done", "force_cancel"],
            line,
            uuid: line.card_transaction_uuid,
            amount: this._asked(line),
        });
    }

    /** A payment that was typed on the terminal itself, because nothing could be sent to it. */
    async typedByHand(line) {
        await this._saveDraft(line.pos_order_id);
        // Kept on the line until Odoo has answered: asked again after a lost answer, it is the same payment.
        line.uiState.cardByHand ??= uuidv4();
        await this._ask({
            title: _t("Card, typed by hand"),
            actions: ["typed_by_hand"],
            line,
            uuid: line.uiState.cardByHand,
            amount: this._asked(line),
        });
    }

    /** One of the desk's decisions about an exception of this point of sale. */
    async settle(row, action) {
        const mine = this.pos.models["pos.payment"].find((line) =>
            row.uuid ? line.card_transaction_uuid === row.uuid : line.uuid === row.line
        );
        if ((row.permitted || []).includes(action)) {
            const decision = { action, manager: null, pin: null, reason: String(ALLOWED), values: {} };
            const refused = await this._submit(decision, { uuid: row.uuid, row });
            return refused && this._alert(refused);
        }
        await this._ask({
            title: row.title || _t("Card exception"),
            actions: [action],
            line: action === "attach" ? this._freeLine() : mine,
            uuid: row.uuid,
            amount: row.amount_approved || row.amount,
            row,
        });
    }

    // The dialog -------------------------------------------------------------------------------------------------------

    async _ask({ title, actions, line, uuid, amount, row }) {
        const managers = await this._managers();
        if (!managers) {
            return;
        }
        const { currency } = this.pos;
        this.pos.dialog.add(ManagerDialog, {
            title,
            subject: this._subject(line, row, amount),
            choices: actions.map((action) => ({ action, ...DECISIONS[action] })),
            amount,
            decimals: currency.decimal_places,
            currency: currency.symbol || currency.name,
            managers,
            park: line?.cardIsOpen ? () => this.pos.dialog.closeAll() || this.park() : undefined,
            submit: (decision) => this._submit(decision, { line, uuid, row }),
        });
    }

    /** Who may approve here; undefined (and the cashier is told) where nobody can be asked. */
    async _managers() {
        const shared = this.pos.config.module_pos_hr;
        try {
            const others = await this.terminals.rpc("card_terminal_managers");
            const me = this.pos.user;
            const own = me.raw.role === "manager" && !shared ? [{ id: null, name: _t("%s (you)", me.name) }] : [];
            const managers = [...own, ...others.filter((each) => !own.length || each.id !== me.id)];
            if (managers.length) {
                return managers;
            }
            this._alert(_t("No manager can approve here: none has an approval PIN yet. A manager sets one in Odoo, under his or her preferences."));
        } catch (error) {
            this._alert(rpcText(error, OFFLINE));
        }
    }

    /** @returns {Promise<string|null>} Odoo's refusal, or null */
    async _submit({ action, manager, pin, reason, values }, { line, uuid, row }) {
        if (this.pos.data.network.offline) {
            return String(OFFLINE);
        }
        const order = line?.pos_order_id;
        const terminal = line?.card_terminal_id || this.terminals.current;
        const request = {
            action,
            manager,
            pin,
            reason,
            uuid,
            order: order?.uuid || row?.order || null,
            line: line?.uuid || row?.line || null,
            values: {
                ...values,
                ...(action === "refund" ? { refund_uuid: this.refunds.uuidFor(uuid) } : {}),
                ...(row
                    ? {}
                    : {
                          terminal: terminal?.uuid || null,
                          kind: line.cardKind,
                          amount: this._asked(line),
                          currency: this.pos.currency.name,
                      }),
            },
        };
        const undo = NEW_ON_ITS_LINE.has(action) && line ? this._putOnLine(line, uuid) : () => {};
        try {
            const { transaction, text, refund } = await this.terminals.rpc("card_terminal_decide", request);
            if (line && transaction) {
                this.follower.learn(line, fromOdoo(transaction));
            }
            this.pos.notification.add(text, { type: "success" });
            if (refund) {
                this.refunds.run(refund, row.order).finally(this.onDecided);
            }
            this.onDecided();
            return null;
        } catch (error) {
            if (!(error instanceof ConnectionLostError)) {
                undo(); // Odoo refused: nothing was decided
            }
            return rpcText(error, OFFLINE);
        }
    }

    /**
     * Marks a line with a transaction that did not begin with a press on Card. It is not known until Odoo has answered:
     * if the answer is lost, the line offers no other payment.
     */
    _putOnLine(line, uuid) {
        const before = [line.card_transaction_uuid, line.card_state, line.payment_status];
        const write = ([transaction, state, status]) => {
            line.card_transaction_uuid = transaction;
            line.card_state = state;
            line.setPaymentStatus(status);
        };
        write([uuid, "unknown", CARD_STATES.unknown.status]);
        line.uiState.cardStartedHere = true;
        return () => write(before);
    }

    /** The card line of the order on the screen that waits for a payment; undefined where there is none. */
    _freeLine() {
        return this.pos
            .getOrder()
            ?.payment_ids.find((line) => line.isCardTerminal && ["pending", "retry"].includes(line.payment_status));
    }

    _subject(line, row, amount) {
        const money = this.pos.env.utils.formatCurrency(majorUnits(amount, this.pos.currency.decimal_places));
        const order = line?.pos_order_id.pos_reference || row?.reference;
        const terminal = line?.card_terminal_id?.name || row?.terminal || this.terminals.current?.name;
        return [order, money, terminal].filter(Boolean).join(" · ");
    }

    _asked(line) {
        return Math.abs(minorUnits(line.amount, this.pos.currency.decimal_places));
    }

    /** Odoo must know the order that is decided about; offline it is asked for again with the decision. */
    async _saveDraft(order) {
        if (!order.finalized && order.lines.length) {
            this.pos.addPendingOrder([order.id]);
            try {
                await this.pos.syncAllOrders({ orders: [order] });
            } catch (error) {
                if (!(error instanceof ConnectionLostError)) {
                    throw error;
                }
            }
        }
    }

    _alert(body) {
        this.pos.dialog.add(AlertDialog, { title: _t("Nobody can decide now"), body });
    }
}
