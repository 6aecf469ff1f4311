import { _t } from "@web/core/l10n/translation";
import { uuidv4 } from "@point_of_sale/utils";
import { minorUnits } from "../utils/amounts";
import { CARD_STATES, isOpen } from "../utils/card_states";
import { pressUntil } from "../utils/card_transaction";
import { elsewhereText, notReachableText, refusal, rpcText, sentence } from "../utils/card_words";
import { CardDayEnd } from "./card_day_end";
import { CardDecisions } from "./card_decisions";
import { CardDesk } from "./card_desk";
import { CardDeskRefunds } from "./card_desk_refunds";
import { CardDiagnostics } from "./card_diagnostics";
import { CardErrands } from "./card_errands";
import { CardFollower } from "./card_follower";
import { CardGivingBack } from "./card_giving_back";
import { CardQuestions } from "./card_questions";
import { CardSignatures } from "./card_signatures";
import { CardTerminals } from "./card_terminals";
import { CardTipsAfterwards } from "./card_tips_afterwards";
import { LocalNetwork } from "./local_network";
import { OtherTills } from "./other_tills";

/**
 * Card payments of this till, from the press on Card until somebody knows how it ended.
 *
 * A transaction is started once, with PUT; everything after that asks by its uuid (CardFollower).
 */
export class CardPayments {
    constructor(pos) {
        this.pos = pos;
        this.terminals = new CardTerminals(pos);
        this.otherTills = new OtherTills(this.terminals);
        this.follower = new CardFollower(pos, this.terminals, {
            onUnknown: (line) => this.questions.becameUnknown(line),
            onApproved: (line) => this.signatures.approved(line),
        });
        this.questions = new CardQuestions(pos, this.terminals, this.follower);
        this.network = new LocalNetwork(pos);
        this.givingBack = new CardGivingBack(pos, this.terminals);
        this.signatures = new CardSignatures(pos, this.terminals, this.follower, this.givingBack);
        this.tipsAfterwards = new CardTipsAfterwards(pos, this.terminals, this.follower.tips);
        this.errands = new CardErrands(pos, this.terminals);
        this.dayEnd = new CardDayEnd(pos, this.terminals);
        this.diagnostics = new CardDiagnostics(pos, this.terminals, this.network);
        this.desk = new CardDesk(this.terminals);
        this.decisions = new CardDecisions(
            pos,
            this.terminals,
            this.follower,
            new CardDeskRefunds(pos, this.terminals),
            () => this.desk.refresh(),
            () => this.questions.park()
        );
    }

    /**
     * One press on Card: starts a transaction for the line and waits until its dialog has ended.
     * @param {object} line pos.payment
     * @returns {Promise<boolean>} whether the line is paid; never rejects
     */
    async pay(line) {
        try {
            const attempt = isOpen(line.card_state) ? null : await this._prepare(line);
            if (attempt) {
                await this._start(line, attempt);
            }
            if (isOpen(line.card_state)) {
                await this.follower.follow(line);
            }
        } catch (error) {
            this.follower.lost(line, error);
        }
        return line.payment_status === "done";
    }

    /** The register was opened: only now has the session a name, which drivers and their grants are to say. */
    async sessionOpened() {
        const { session, data, models } = this.pos;
        try {
            const [{ name }] = await data.orm.read("pos.session", [session.id], ["name"]);
            session.name = name;
            for (const { driver: uuid, grant } of await this.terminals.rpc("card_terminal_grants")) {
                models["card.terminal.driver"].find((driver) => driver.uuid === uuid)?.update({ grant });
                Object.assign(this.terminals.client(uuid) || {}, { grant });
            }
        } catch (error) {
            console.warn("card payments: the session's name is not known yet", error);
        }
    }

    /**
     * Asks the terminal to give up.
     * @returns {Promise<boolean>} whether the terminal said that it did
     */
    async cancel(line) {
        const client = this.terminals.client(line.card_driver_ref);
        const answer = (await client?.cancel(line.card_transaction_uuid)) || {};
        if (answer.ok) {
            this.follower.heard(line, answer.body);
        } else if (answer.problem) {
            this.follower.show(line, sentence(answer.problem.code, answer.problem.text || answer.problem.detail));
        }
        return line.card_state === "cancelled";
    }

    /** Whether a terminal of this till takes payments of this method; a method of another provider is not ours. */
    offers(method, { refund = false } = {}) {
        const { use_payment_terminal: provider, card_means: means } = method;
        const wanted = { kind: refund ? "refund" : "sale", means: means || "card" };
        return provider !== "card_terminal" || !this.terminals.all.length || Boolean(this.terminals.for(wanted));
    }

    /** Everything that must hold before anything can leave; undefined when it does not (the line then says why). */
    async _prepare(line) {
        const order = line.pos_order_id;
        const kind = this.givingBack.kindOf(line);
        const terminal = this.givingBack.terminalOf(line);
        const amount = this._amount(line);
        if (!this.terminals.current) {
            return this.follower.refuse(line, _t("No card terminal is set up for this point of sale."));
        }
        if (!terminal) {
            return this.follower.refuse(line, _t("No terminal of this point of sale can do this."));
        }
        if (!amount) {
            return this.follower.refuse(line, _t("This amount cannot be paid by card."));
        }
        this.follower.show(line, _t("Asking the driver of %s…", terminal.name));
        await this.questions.askFirst(terminal);
        if (terminal.driver_id.road !== "relay") {
            await this.network.explain(terminal.driver_id.url);
        }
        const client = this.terminals.client(terminal.driver_id.uuid);
        const [health, held] = await Promise.all([client.health(), this.otherTills.check(order)]);
        if (held) {
            return this.follower.refuse(line, elsewhereText(held));
        }
        if (!health.ok) {
            this.terminals.refresh(); // for the next attempt: the driver may have been replaced
            return this.follower.refuse(line, notReachableText(health, terminal), { unreachable: true });
        }
        const body = {
            terminal: terminal.uuid,
            kind,
            amount,
            currency: this.pos.currency.name,
            till: this.pos.config.name,
            session: this.pos.session.name,
            order: order.uuid,
            line: line.uuid,
            operator: this.pos.getCashier()?.name || "",
            reference: order.pos_reference || "",
            not_after: pressUntil(health.body.now),
        };
        const means = line.payment_method_id.card_means || "card";
        if (means !== "card") {
            body.means = means;
        }
        const attempt = { uuid: uuidv4(), terminal, client, journal: health.body.journal_id, body };
        return kind === "sale" ? attempt : this._withGrant(line, attempt);
    }

    /** Minor units without sign; 0 where the amount is none. */
    _amount(line) {
        try {
            return Math.abs(minorUnits(line.amount, this.pos.currency.decimal_places));
        } catch {
            return 0;
        }
    }

    /**
     * Money that goes back, and a tip afterwards, need Odoo's permission over exactly this: Odoo knows what is left of
     * the sale.
     */
    async _withGrant(line, attempt) {
        const { order, terminal, kind, amount, currency } = attempt.body;
        const refunded = line.pos_order_id.lines.map((l) => l.refunded_orderline_id?.order_id?.id);
        try {
            const given = await this.terminals.permission({
                uuid: attempt.uuid,
                kind,
                amount,
                currency,
                terminal,
                order,
                line: line.uuid,
                original: line.card_reversed_uuid || line.card_tipped_uuid || null,
                refunded_order_ids: [...new Set(refunded.filter((id) => typeof id === "number"))],
            });
            attempt.grant = given.grant;
            if (given.original) {
                attempt.body.original = { uuid: given.original };
            }
            return attempt;
        } catch (error) {
            const offline =
                kind === "tip"
                    ? _t("Odoo cannot be reached, so it cannot allow the tip.")
                    : _t("Odoo cannot be reached, so it cannot allow the refund.");
            return this.follower.refuse(line, rpcText(error, offline));
        }
    }

    /** The mark on the line is durable before the request leaves, so that no reload can forget that it may have. */
    async _start(line, { uuid, terminal, client, journal, body, grant }) {
        line.card_transaction_uuid = uuid;
        line.card_terminal_id = terminal;
        line.card_driver_ref = client.driver;
        line.card_journal_ref = journal;
        line.card_state = "requested";
        line.card_text = "";
        line.uiState.cardStartedHere = true;
        line.uiState.cardAnswer = null;
        line.setPaymentStatus(CARD_STATES.requested.status);
        try {
            await this.pos.data.synchronizeLocalDataInIndexedDB();
        } catch {
            return this.follower.refuse(line, _t("This browser cannot store the payment, so nothing was sent. Is its disk full?"));
        }
        this.follower.show(line, _t("Sending the amount to %s…", terminal.name));
        const answer = await client.start(uuid, body, grant);
        if (answer.ok) {
            this.follower.heard(line, answer.body);
        } else if (answer.problem && answer.problem.money !== "unknown") {
            this.follower.refuse(line, refusal(answer.problem)); // a refusal leaves no transaction behind
        } else {
            line.card_state = "sent"; // it may have left this browser: from here on it is only asked for
        }
    }
}
