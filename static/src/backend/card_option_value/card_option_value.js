import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { CheckBox } from "@web/core/checkbox/checkbox";
import { Component } from "@odoo/owl";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * The value of a terminal's option (card.terminal.option): a box to tick, a choice, or a text, as the option's kind
 * and choices say. The record keeps a text; empty is the standard value, which is shown in grey.
 */
export class CardOptionValue extends Component {
    static template = "pos_card_terminal.CardOptionValue";
    static components = { CheckBox };
    static props = { ...standardFieldProps };

    get value() {
        return this.props.record.data[this.props.name] || "";
    }

    get isSecret() {
        return this.props.record.data.secret;
    }

    get standard() {
        return this.props.record.data.standard || "";
    }

    /** [value, words] of each value there is, for a closed set; empty where anything fitting may be typed. */
    get choices() {
        const { choices, kind } = this.props.record.data;
        return kind === "bool" ? [["true", _t("Yes")], ["false", _t("No")]] : choices || [];
    }

    get isBoolean() {
        return this.props.record.data.kind === "bool";
    }

    get words() {
        if (this.isSecret) {
            return this.value && "••••••";
        }
        const value = this.value || this.standard;
        return this.choices.find(([name]) => name === value)?.[1] || value;
    }

    /** What is the standard anyway is not kept: it follows the standard. */
    set(value) {
        const text = String(value).trim();
        return this.props.record.update({ [this.props.name]: text === this.standard ? false : text });
    }
}

registry.category("fields").add("card_option_value", {
    component: CardOptionValue,
    displayName: _t("Option of a card terminal"),
    supportedTypes: ["char"],
});
