import { _t } from "@web/core/l10n/translation";
import { uuidv4 } from "@point_of_sale/utils";
import { CardErrandDialog } from "../components/card_errand/card_errand";
import { CardSettlementDialog } from "../components/card_settlement/card_settlement";
import { isInDialog } from "../utils/card_states";
import { pressUntil } from "../utils/card_transaction";
import { conditionText, notReachableText, refusal, rpcText, sentence } from "../utils/card_words";
import { Waker } from "../utils/waker";

/** Seconds a question may be held until there is news; pause after a question that nobody answered. */
const LONG_POLL = 25;
const PAUSE = 1;
/** Questions without an answer after which the till gives up: the driver reports to Odoo all the same. */
const PATIENCE = 60;

/**
 * What terminals do without a customer: settle (send off their payments), print their last slip again, and what is
 * asked of the terminal itself (how it stands, its sums so far, diagnosis, initialisation). No money of a customer moves,
 * so nothing is kept in the browser; the driver reports settlements and copies to Odoo.
 */
export class CardErrands {
    constructor(pos, terminals) {
        this.pos = pos;
        this.terminals = terminals;
        this.waker = new Waker();
    }

    /**
     * Lets a terminal settle.
     * @param {(text: string) => void} onProgress told what happens meanwhile
     * @returns {Promise<object>} `{ok, uuid, text, totals, slip, condition, remedy}`; `totals` is null where the terminal
     *   told none, `condition` and `remedy` (docs/api.md) are "" where it said nothing of itself
     */
    async settle(terminal, onProgress) {
        const uuid = uuidv4();
        let grant;
        try {
            ({ grant } = await this.terminals.rpc("card_terminal_settlement_grant", { uuid, terminal: terminal.uuid }));
        } catch (error) {
            return failed(uuid, rpcText(error, _t("Odoo cannot be reached, so it cannot allow the settlement.")));
        }
        return this._run(terminal, { uuid, kind: "settlement", grant }, onProgress);
    }

    /** Opens the dialog that lets a terminal do this: an end of day has its own, with its totals. */
    open(terminal, kind) {
        const isDayEnd = kind === "settlement";
        const props = isDayEnd ? { terminal: terminal.uuid } : { terminal: terminal.uuid, kind };
        this.pos.dialog.add(isDayEnd ? CardSettlementDialog : CardErrandDialog, props);
    }

    /** Lets a terminal print its last slip once more. */
    reprint(terminal, onProgress = () => {}) {
        return this._run(terminal, { uuid: uuidv4(), kind: "reprint" }, onProgress);
    }

    /** Asks a terminal itself: `identify` (how it stands), `totals`, `diagnosis`, `initialisation`. */
    ask(terminal, kind, onProgress = () => {}) {
        return this._run(terminal, { uuid: uuidv4(), kind }, onProgress);
    }

    async _run(terminal, { uuid, kind, grant }, onProgress) {
        const client = this.terminals.client(terminal.driver_id.uuid);
        const health = await client.health();
        if (!health.ok) {
            return failed(uuid, notReachableText(health, terminal));
        }
        const answer = await client.start(uuid, this._body(terminal, kind, health.body.now), grant);
        if (answer.problem && answer.problem.money !== "unknown") {
            return failed(uuid, refusal(answer.problem));
        }
        return this._follow(client, uuid, answer.ok ? answer.body : null, onProgress);
    }

    _body(terminal, kind, now) {
        return {
            terminal: terminal.uuid,
            kind,
            amount: 0,
            currency: "",
            till: this.pos.config.name,
            session: this.pos.session.name,
            order: "",
            line: "",
            operator: this.pos.getCashier()?.name || "",
            not_after: pressUntil(now),
        };
    }

    async _follow(client, uuid, told, onProgress) {
        for (let silences = 0; silences < PATIENCE; ) {
            if (told && !isInDialog(told.state)) {
                return ended(uuid, told);
            }
            onProgress(told?.progress ? sentence(told.progress.code, told.progress.text) : "");
            const question = told ? { after: told.rev, wait: LONG_POLL } : {};
            const answer = await client.transaction(uuid, question);
            if (answer.problem?.code === "no_such_transaction") {
                return failed(uuid, _t("The driver did not get the request, so nothing was done. Try again."));
            }
            told = answer.ok ? answer.body : told;
            silences = answer.ok ? 0 : silences + 1;
            if (!answer.ok) {
                await this.waker.sleep(PAUSE);
            }
        }
        return failed(uuid, _t("The driver does not answer any more. What came of it appears in Odoo once it does."));
    }
}

function ended(uuid, told) {
    const { totals, merchant_receipt: slip = "", details = {} } = told.outcome || {};
    const { condition = "", remedy = "" } = details;
    const text = condition ? conditionText(condition, told.text) : sentence(told.code, told.text);
    return { ok: told.state === "approved", uuid, text, totals: totals?.length ? totals : null, slip, condition, remedy };
}

function failed(uuid, text) {
    return { ok: false, uuid, text, totals: null, slip: "", condition: "", remedy: "" };
}
