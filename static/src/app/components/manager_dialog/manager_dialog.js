import { _t } from "@web/core/l10n/translation";
import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { useService } from "@web/core/utils/hooks";
import { majorUnits, minorUnits } from "../../utils/amounts";

/** Keys of the PIN pad; what is no digit does something. */
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "back"];

/**
 * A manager decides about card money: what, why, and with the manager's PIN. Odoo checks it; nothing is decided here.
 *
 * Stays open with Odoo's sentence where Odoo refuses (wrong PIN), and closes once it has agreed.
 */
export class ManagerDialog extends Component {
    static template = "pos_card_terminal.ManagerDialog";
    static components = { Dialog };
    static props = {
        title: String,
        /** What it is about: order, amount, terminal. */
        subject: String,
        /** What can be decided: `{action, label, icon, tone, fields, reasons}` (services/card_decisions.js). */
        choices: Array,
        /** Minor units that were asked for. */
        amount: Number,
        decimals: Number,
        currency: String,
        /** Who may approve: `{id, name}`; id null is the user who is logged in. */
        managers: Array,
        /** `(decision) => Promise<string|null>`: Odoo's refusal, or null where it agreed. */
        submit: Function,
        park: { type: Function, optional: true },
        close: Function,
    };

    setup() {
        this.ui = useService("ui");
        this.keys = KEYS;
        const { choices, managers, amount, decimals } = this.props;
        this.state = useState({
            action: choices.length === 1 ? choices[0].action : null,
            manager: managers.length === 1 ? managers[0] : null,
            pin: "",
            preset: null,
            reason: "",
            values: { amount: majorUnits(amount, decimals).toFixed(decimals), auth_code: "", slip: "", last4: "" },
            error: "",
            busy: false,
        });
    }

    get choice() {
        return this.props.choices.find((choice) => choice.action === this.state.action);
    }

    get reason() {
        const { preset, reason } = this.state;
        return [preset, reason.trim()].filter(Boolean).join(": ");
    }

    get needsPin() {
        return Boolean(this.state.manager?.id);
    }

    /** What is still missing, as a sentence; empty when it can be confirmed. */
    get missing() {
        const { manager, pin, values } = this.state;
        if (!this.choice) {
            return _t("Choose what happened.");
        }
        const field = this.choice.fields.find((each) => each.required && !values[each.name].trim());
        if (field) {
            return _t("%s is missing.", field.label);
        }
        if (!this.reason) {
            return _t("Say why.");
        }
        if (!manager) {
            return _t("Choose the manager.");
        }
        return this.needsPin && !pin ? _t("Type the manager's PIN.") : "";
    }

    press(key) {
        const { pin } = this.state;
        this.state.pin = { clear: "", back: pin.slice(0, -1) }[key] ?? pin + key;
    }

    choosePreset(preset) {
        this.state.preset = this.state.preset === preset ? null : preset;
    }

    async confirm() {
        const { manager, pin, values } = this.state;
        const amount = this._amount(values.amount);
        if (this.state.busy || this.missing) {
            return;
        }
        if (!amount) {
            this.state.error = _t("The amount is not valid.");
            return;
        }
        this.state.busy = true;
        this.state.error = "";
        try {
            const refusal = await this.props.submit({
                action: this.state.action,
                manager: manager.id,
                pin: this.needsPin ? pin : null,
                reason: this.reason,
                values: {
                    amount_minor: amount,
                    ...Object.fromEntries(
                        this.choice.fields
                            .filter((field) => field.name !== "amount")
                            .map(({ name }) => [name, values[name].trim() || null])
                    ),
                },
            });
            this.state.error = refusal || "";
            if (!refusal) {
                this.props.close();
            }
        } finally {
            this.state.busy = false;
            this.state.pin = "";
        }
    }

    /** Minor units of what was typed, with a comma or a point; 0 where it is none. */
    _amount(typed) {
        try {
            return Math.max(minorUnits(Number(typed.replace(",", ".").trim()), this.props.decimals), 0);
        } catch {
            return 0;
        }
    }
}
