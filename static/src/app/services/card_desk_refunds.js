import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { reactive } from "@odoo/owl";
import { uuidv4 } from "@point_of_sale/utils";
import { RefundDialog } from "../components/refund_dialog/refund_dialog";
import { isInDialog } from "../utils/card_states";
import { pressUntil } from "../utils/card_transaction";
import { notReachableText, refusal, sentence } from "../utils/card_words";

/** Questions to a driver that does not answer, a second apart, before its refund is left to the exceptions desk. */
const QUESTIONS = 30;
const LONG_POLL = 25;

/**
 * Card money that goes back without an order: a manager has decided it, Odoo has signed it, the terminal gives it.
 *
 * The permission is over one uuid, kept until that refund has ended: pressed again, it is the same refund.
 */
export class CardDeskRefunds {
    constructor(pos, terminals) {
        this.pos = pos;
        this.terminals = terminals;
        this.attempts = new Map();
    }

    /** The uuid of the refund of a payment. */
    uuidFor(original) {
        if (!this.attempts.has(original)) {
            this.attempts.set(original, uuidv4());
        }
        return this.attempts.get(original);
    }

    /**
     * Carries out what Odoo has allowed, and shows it.
     * @param {object} refund as `card_terminal_decide` gives it: {uuid, grant, original, terminal, kind, amount, currency}
     * @param {string|null} order uuid of the order the money was for
     */
    async run(refund, order) {
        const terminal = this.terminals.all.find((each) => each.uuid === refund.terminal);
        const shown = reactive({ state: "requested", text: _t("Asking the driver of %s…", terminal?.name || "?") });
        this.pos.dialog.add(RefundDialog, { shown, amount: refund.amount, terminal: terminal?.name || "" });
        await this._start(refund, order, terminal, shown);
        if (!["unknown", "requested", "sent"].includes(shown.state)) {
            this.attempts.delete(refund.original);
        }
    }

    async _start({ uuid, grant, original, kind, amount, currency }, order, terminal, shown) {
        const client = terminal && this.terminals.client(terminal.driver_id.uuid);
        const health = client ? await client.health() : {};
        if (!health.ok) {
            const text = terminal ? notReachableText(health, terminal) : _t("No card terminal is set up for this point of sale.");
            return Object.assign(shown, { state: "failed", text });
        }
        const answer = await client.start(
            uuid,
            {
                terminal: terminal.uuid,
                kind,
                amount,
                currency,
                till: this.pos.config.name,
                session: this.pos.session.name,
                order: order || uuidv4(), // it has none
                line: uuidv4(),
                operator: this.pos.getCashier()?.name || "",
                reference: "",
                not_after: pressUntil(health.body.now),
                original: { uuid: original },
            },
            grant
        );
        if (answer.problem && answer.problem.money !== "unknown") {
            return Object.assign(shown, { state: "failed", text: refusal(answer.problem) });
        }
        shown.state = "sent";
        await this._follow(client, uuid, answer, shown);
    }

    /** Asks until its dialog has ended; where the driver stays silent it is unknown, and the desk has it. */
    async _follow(client, uuid, answer, shown) {
        let silences = 0;
        let after = null;
        while (isInDialog(shown.state)) {
            if (answer.ok) {
                const { state, progress, code, text, rev } = answer.body;
                shown.state = state;
                shown.text = isInDialog(state)
                    ? sentence(progress?.code, progress?.text)
                    : sentence(code, text, state === "unknown");
                after = rev;
                silences = 0;
            } else if (++silences > QUESTIONS || answer.problem?.code === "no_such_transaction") {
                Object.assign(shown, { state: "unknown", text: _t("The driver does not answer.") });
            } else {
                await new Promise((resolve) => browser.setTimeout(resolve, 1000));
            }
            if (isInDialog(shown.state)) {
                answer = await client.transaction(uuid, { after, wait: after === null ? 0 : LONG_POLL });
            }
        }
    }
}
