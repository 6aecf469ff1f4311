import { Component, onMounted, onWillDestroy, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { sprintf } from "@web/core/utils/strings";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/**
 * Long work in parts, each a call and a transaction of its own: what is done stays done.
 *
 * Parameters of the action: `model`, `method` (takes ids, returns {refused: how many could not be done}), `parts` (lists
 * of ids), `stop` (method that is told the ids left when a person stops; or none), `done` (what was done, with %s for
 * how many; or none), `closed` (what becomes of the rest where this is closed before the end), `next` (the action to go
 * on with). Closed before the end, it does not begin another part.
 */
export class CardProgress extends Component {
    static template = "pos_card_terminal.CardProgress";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.params = this.props.action.params;
        this.parts = this.params.parts;
        this.total = this.parts.flat().length;
        this.at = 0;
        this.closed = false;
        this.finished = false;
        this.state = useState({ done: 0, refused: 0, stopping: false, problem: "" });
        onMounted(() => this.work());
        onWillDestroy(() => {
            this.closed = true;
            if (!this.finished && !this.state.stopping) {
                this.notification.add(this.params.closed, { type: "info" });
            }
        });
    }

    get percent() {
        return Math.floor((100 * this.state.done) / this.total);
    }

    async work() {
        const { model, method } = this.params;
        this.state.problem = "";
        while (this.at < this.parts.length && !this.closed && !this.state.stopping) {
            try {
                const { refused } = await this.orm.silent.call(model, method, [this.parts[this.at]]);
                this.state.refused += refused;
            } catch (error) {
                this.state.problem = error.data?.message || _t("Odoo cannot be reached.");
                return;
            }
            this.state.done += this.parts[this.at].length;
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
        } else {
            await this.handBack(this.at + 1); // now: closed meanwhile, this would not come to it
        }
    }

    /** Tell Odoo of the parts from this one on that they will not be asked for. */
    async handBack(from) {
        const { model, stop } = this.params;
        const left = this.parts.slice(from).flat();
        this.parts = this.parts.slice(0, from);
        if (stop && left.length) {
            await this.orm.call(model, stop, [left]);
        }
    }

    async finish() {
        const { done, next } = this.params;
        await this.handBack(this.at);
        this.finished = true;
        const count = this.state.done - this.state.refused;
        if (done && count) {
            this.notification.add(sprintf(done, count), { type: "success" });
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
