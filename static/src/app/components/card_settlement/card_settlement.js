import { _t } from "@web/core/l10n/translation";
import { Component, onMounted, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { Dialog } from "@web/core/dialog/dialog";
import { parseFloat as parseAmount } from "@web/views/fields/parsers";
import { uuidv4 } from "@point_of_sale/utils";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { majorUnits, minorUnits } from "../../utils/amounts";
import { rpcText } from "../../utils/card_words";

/** How often Odoo is asked whether the driver has told it, and milliseconds between. */
const QUESTIONS = 15;
const PAUSE = 700;

const emptyRow = () => ({ brand: "", count: "", amount: "" });

/**
 * A terminal's settlement (télécollecte, end of day): started here where the terminal can, with the totals it tells;
 * where it tells none, what its ticket says is typed, and kept with who typed it. What Odoo has is shown beside it.
 *
 * `getPayload` (the till closes its session): `terminal` makes its end of day at once, and the answer says to go on.
 */
export class CardSettlementDialog extends Component {
    static template = "pos_card_terminal.CardSettlement";
    static components = { Dialog };
    static props = {
        close: Function,
        terminal: { type: String, optional: true },
        getPayload: { type: Function, optional: true },
    };

    setup() {
        this.pos = usePos();
        this.terminals = this.pos.cardPayments.terminals;
        this.state = useState({
            /** "choose", "running", "failed", "done" (settled) or "kept" (the ticket's totals are stored) */
            step: "choose",
            terminal: this.props.terminal || this.terminals.current?.uuid,
            text: "",
            totals: null,
            /** What Odoo has beside the totals: `{count, amount, difference}`, null while it has not heard of them */
            compared: null,
            /** Odoo's sums beside the terminal's, by group of cards; those the terminal did not name have `amount` null */
            groups: [],
            transaction: null,
            typing: false,
            typed: { uuid: uuidv4(), number: "", rows: [emptyRow()] },
            error: "",
            busy: false,
        });
        onMounted(() => this.isClosing && this.settle());
    }

    /** The till waits for it to close its session. */
    get isClosing() {
        return Boolean(this.props.getPayload);
    }

    goOn() {
        this.props.getPayload(true);
        this.props.close();
    }

    get terminal() {
        return this.terminals.all.find((terminal) => terminal.uuid === this.state.terminal);
    }

    get canSettle() {
        return this.terminals.can(this.terminal, { kind: "settlement" });
    }

    get canTotal() {
        return this.terminals.can(this.terminal, { kind: "totals" });
    }

    showTotals() {
        this.pos.cardPayments.errands.open(this.terminal, "totals");
    }

    get isRunning() {
        return this.state.step === "running";
    }

    /** What is shown as totals: the terminal's, or those that were typed. */
    get rows() {
        const told = this.state.groups.length ? this.state.groups : this.state.totals || [];
        return told.map((total) => ({
            ...total,
            money: total.amount === null ? "–" : this.money(total.amount),
            inOdoo: total.odoo_amount === undefined ? "" : this.money(total.odoo_amount),
            differs: Boolean(total.difference ?? total.odoo_amount),
        }));
    }

    /** What the terminal does, before it is asked. */
    get heading() {
        const terminal = this.terminal?.name || "";
        return this.canSettle
            ? _t("%(terminal)s sends its payments to the bank", { terminal })
            : _t("%(terminal)s settles by itself", { terminal });
    }

    /** Odoo's sum beside the terminal's, in words. */
    get comparison() {
        const { count, difference } = this.state.compared;
        const amount = this.money(this.state.compared.amount);
        if (!difference) {
            return { title: _t("Odoo has the same: %(amount)s (payments: %(count)s)", { amount, count }) };
        }
        return {
            title: _t("The terminal and Odoo differ by %s", this.money(difference)),
            text: _t(
                "Odoo has %(amount)s of this terminal (payments: %(count)s). Keep the terminal's ticket: a manager is told.",
                { amount, count }
            ),
        };
    }

    /** The sums agree in all, and not by card. */
    get onlyGroupsDiffer() {
        return !this.state.compared.difference && this.rows.some((row) => row.differs);
    }

    money(minor) {
        return this.pos.env.utils.formatCurrency(majorUnits(minor, this.pos.currency.decimal_places));
    }

    choose(terminal) {
        Object.assign(this.state, { terminal: terminal.uuid, step: "choose", typing: false, text: "", error: "" });
        Object.assign(this.state, { totals: null, transaction: null, compared: null, groups: [] });
    }

    async settle() {
        this.state.step = "running";
        this.state.text = _t("Asking the driver of %s…", this.terminal.name);
        const onProgress = (text) => (this.state.text = text || _t("%s settles. This may take some minutes.", this.terminal.name));
        const answer = await this.pos.cardPayments.errands.settle(this.terminal, onProgress);
        this.state.step = answer.ok ? "done" : "failed";
        this.state.text = answer.text;
        this.state.totals = answer.totals;
        this.state.transaction = answer.ok ? answer.uuid : null;
        this.state.typing = answer.ok && !answer.totals;
        if (answer.ok) {
            this.pos.cardPayments.dayEnd.wasMade(this.terminal);
        }
        if (answer.totals) {
            await this._compare(answer.uuid);
        }
    }

    /** Asks Odoo what it has beside the terminal's totals, once the driver has told it of them. */
    async _compare(transaction) {
        for (let asked = 0; asked < QUESTIONS && this.state.transaction === transaction; asked++) {
            try {
                const known = await this.terminals.rpc("card_terminal_settlement", { transaction });
                if (known?.compared) {
                    this.state.compared = known.compared;
                    this.state.groups = known.groups || [];
                    return;
                }
            } catch {
                return; // offline: Odoo compares it once it hears of it, and tells managers
            }
            await new Promise((resolve) => browser.setTimeout(resolve, PAUSE));
        }
    }

    addRow() {
        this.state.typed.rows.push(emptyRow());
    }

    removeRow(index) {
        this.state.typed.rows.splice(index, 1);
    }

    /** The typed totals in minor units; null where one of them cannot be read. */
    _typedTotals() {
        const filled = this.state.typed.rows.filter((row) => row.brand.trim() || row.count.trim() || row.amount.trim());
        try {
            return filled.map(({ brand, count, amount }) => {
                if (!/^[0-9]{1,9}$/.test(count.trim())) {
                    throw new RangeError(count);
                }
                const minor = minorUnits(parseAmount(amount.trim()), this.pos.currency.decimal_places);
                return { brand: brand.trim(), count: Number(count), amount: minor };
            });
        } catch {
            return null;
        }
    }

    async keep() {
        const totals = this._typedTotals();
        if (!totals?.length) {
            this.state.error = _t("Type how many payments there are, and their amount, as the ticket says.");
            return;
        }
        this.state.busy = true;
        this.state.error = "";
        try {
            const kept = await this.terminals.rpc("card_terminal_settlement_totals", {
                uuid: this.state.typed.uuid,
                terminal: this.terminal.uuid,
                transaction: this.state.transaction,
                number: this.state.typed.number.trim(),
                totals,
            });
            Object.assign(this.state, { step: "kept", totals: kept.totals, typing: false, text: "" });
            this.state.typed = { uuid: uuidv4(), number: "", rows: [emptyRow()] };
        } catch (error) {
            this.state.error = rpcText(error, _t("Odoo cannot be reached. Keep the ticket and type it later."));
        } finally {
            this.state.busy = false;
        }
    }
}
