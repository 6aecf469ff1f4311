import { Component, onMounted, onWillDestroy, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/**
 * Long work in parts, each a call and a transaction of its own: what is done stays done.
 *
 * Parameters of the action: `text` (what is done), `model`, `method` (takes ids, returns {refused: how many could not
 * be done}), `parts` (lists of ids), `stop` (method that is told the ids left when a person stops; or none), `next` (the
 * action to go on with). Closed before the end, it does not begin another part.
 */
export class CardProgress extends Component {
    static template = "pos_card_terminal.CardProgress";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.params = this.props.action.params;
        this.total = this.params.parts.flat().length;
        this.at = 0;
        this.closed = false;
        this.state = useState({ done: 0, refused: 0, stopping: false, problem: "" });
        onMounted(() => this.work());
        onWillDestroy(() => {
            this.closed = true;
        });
    }

    get percent() {
        return Math.floor((100 * this.state.done) / this.total);
    }

    get left() {
        return this.params.parts.slice(this.at).flat();
    }

    async work() {
        const { model, method, parts } = this.params;
        this.state.problem = "";
        while (this.at < parts.length && !this.closed && !this.state.stopping) {
            try {
                const { refused } = await this.orm.silent.call(model, method, [parts[this.at]]);
                this.state.refused += refused;
            } catch (error) {
                this.state.problem = error.data?.message || _t("Odoo cannot be reached.");
                return;
            }
            this.state.done += parts[this.at].length;
            this.at += 1;
        }
        if (!this.closed) {
            await this.finish();
        }
    }

    async stop() {
        this.state.stopping = true;
        if (this.state.problem) {
            await this.finish();
        }
    }

    async finish() {
        const { model, stop, next } = this.params;
        if (stop && this.left.length) {
            await this.orm.call(model, stop, [this.left]);
        }
        if (this.state.refused) {
            const text = _t("%s could not be posted: each says why.", this.state.refused);
            this.notification.add(text, { type: "warning", sticky: true });
        }
        await this.action.doAction({ type: "ir.actions.act_window_close" });
        await this.action.doAction(next);
    }
}

registry.category("actions").add("card_progress", CardProgress);
