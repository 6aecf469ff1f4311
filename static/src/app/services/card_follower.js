import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { markRaw, reactive } from "@odoo/owl";
import { majorUnits, minorUnits } from "../utils/amounts";
import { CardOrderValidation } from "../utils/card_order_validation";
import { CARD_STATES, isInDialog, isOpen, rowName } from "../utils/card_states";
import { fromDriver, fromOdoo } from "../utils/card_transaction";
import { refusal, sentence } from "../utils/card_words";
import { CardTips } from "./card_tips";
import { Waker } from "../utils/waker";

/** Seconds a driver may stay silent before its transaction is shown as unknown (it is asked on). */
const PATIENCE = 30;
/** Of that, seconds that a first question without an answer counts for: it may have been held with the driver alive. */
const FIRST_SILENCE = 10;
/** Seconds between two questions about unknown transactions whose driver answers. */
const QUESTION_INTERVAL = 20;
/** Seconds a question may be held until there is news. */
const LONG_POLL = 25;
/** Seconds between two questions to a driver that does not answer: soon at first, and soon enough once it is back. */
const PAUSES = [0.2, 0.4, 0.7, 0.8];
/** Seconds between two questions to Odoo about what a driver does not say; its bus tells of news meanwhile. */
const ODOO_INTERVAL = 4;

const pause = (silences) => PAUSES[Math.min(silences, PAUSES.length - 1)];

/**
 * Asks what became of transactions, and writes what is learned on their payment lines.
 *
 * Whatever is learned goes through `learn`, whether the press, a reload, another till or a manager brought it up.
 */
export class CardFollower {
    /**
     * @param {object} pos the POS store
     * @param {CardTerminals} terminals
     * @param {(line: object) => void} onUnknown told of each line whose result turns out not to be known
     * @param {(line: object) => void} onApproved told of each line that a terminal has approved
     */
    constructor(pos, terminals, { onUnknown, onApproved }) {
        this.pos = pos;
        this.terminals = terminals;
        this.onUnknown = onUnknown;
        this.onApproved = onApproved;
        /** What a terminal says meanwhile, by payment line: `{text, until}`, `until` in milliseconds or null. */
        this.progress = reactive({});
        this.tips = new CardTips(pos);
        this.following = markRaw(new Map());
        this.validating = markRaw(new Set());
        this.waker = markRaw(new Waker());
        this.watching = false;
    }

    // Asking -----------------------------------------------------------------------------------------------------------

    /**
     * Takes up every open transaction again: at the start, after a connection, when a payment screen opens.
     * `validate` (at the start): an order that a card had paid right before a reload is validated now.
     */
    async resume({ validate = false } = {}) {
        const lines = this.pos.models["pos.payment"].filter((line) => line.isCardTerminal);
        for (const line of lines) {
            if (isInDialog(line.card_state)) {
                line.setPaymentStatus(CARD_STATES[line.card_state].status);
                this.follow(line);
            } else if (line.payment_status === "waiting" && !this.preparing(line)) {
                this.refuse(line, _t("The page was reloaded before anything was sent."));
            } else if (validate && line.payment_status === "done") {
                this.validate(line);
            }
        }
        this._watch(await this.reconsider(this._unknown()));
    }

    /** There is reason to believe that somebody answers again: everything that waits is asked for now. */
    wake() {
        this.waker.wake();
        return this.resume();
    }

    /** Asks on until the dialog of a line's transaction has ended; `unknown` is an end here. Never rejects. */
    follow(line) {
        const uuid = line.card_transaction_uuid;
        if (!this.following.has(uuid)) {
            const asking = this._follow(line, uuid)
                .catch((error) => this.lost(line, error))
                .finally(() => this.following.delete(uuid));
            this.following.set(uuid, asking);
        }
        return this.following.get(uuid);
    }

    async _follow(line, uuid) {
        let after = null;
        let silentSince = null;
        let silences = 0;
        let askedOdoo = 0;
        const inDialog = () => isInDialog(line.card_state) && line.card_transaction_uuid === uuid;
        while (inDialog()) {
            const asked = Date.now();
            const question = this._askDriver(line, { after, wait: after === null ? 0 : LONG_POLL });
            const answer = await this.waker.unlessWoken(question);
            if (!answer) {
                after = null; // asked anew, at once
            } else if (answer.ok) {
                after = answer.body.rev;
                silentSince = null;
                silences = 0;
                this.heard(line, answer.body);
            } else if (answer.notHere) {
                this.learn(line, { uuid, state: "unknown", text: _t("The driver's journal does not hold this payment.") });
            } else {
                silentSince ??= Math.max(asked, Date.now() - FIRST_SILENCE * 1000);
                const why = answer.problem ? refusal(answer.problem) : _t("The driver does not answer.");
                this.show(line, _t("%s Asking again… Do not take the card again.", why));
                this.progress[line.uuid].silent = true;
                if (Date.now() - askedOdoo > ODOO_INTERVAL * 1000) {
                    askedOdoo = Date.now();
                    this._askOdoo([line]); // not waited for: the driver may be back sooner
                }
                // The till that pressed Card gives up here; another one leaves the word to it, and to Odoo.
                const givesUp = line.uiState.cardStartedHere && Date.now() - silentSince > PATIENCE * 1000;
                if (inDialog() && givesUp) {
                    this.learn(line, { uuid, state: "unknown", text: why });
                }
                await this.waker.sleep(pause(silences++));
            }
        }
    }

    /**
     * Asks about unknown transactions as long as there are any: often while a driver is silent, then now and then.
     * `heard`: every driver answered the last question.
     */
    async _watch(heard) {
        if (this.watching) {
            return;
        }
        this.watching = true;
        let silences = 0;
        while (this._unknown().length) {
            await this.waker.sleep(heard ? QUESTION_INTERVAL : pause(silences));
            heard = await this.reconsider(this._unknown());
            silences = heard ? 0 : silences + 1;
        }
        this.watching = false;
    }

    /**
     * Asks once about lines whose result is unknown: the driver that has them, then Odoo.
     * @returns {Promise<boolean>} whether every driver that could be asked has answered
     */
    async reconsider(lines) {
        let heard = true;
        for (const line of lines) {
            const answer = await this._askDriver(line, {});
            if (answer.ok) {
                this.heard(line, answer.body);
            }
            heard &&= !answer.link;
        }
        const left = lines.filter((line) => line.card_state === "unknown");
        if (left.length) {
            await this._askOdoo(left);
        }
        return heard;
    }

    /** Odoo has news about a transaction (bus). */
    async nudged(uuid) {
        const line = this.pos.models["pos.payment"].find((l) => l.card_transaction_uuid === uuid);
        if (line && isOpen(line.card_state)) {
            await this._askOdoo([line]);
        }
    }

    _unknown() {
        return this.pos.models["pos.payment"].filter((line) => line.card_state === "unknown");
    }

    /**
     * The driver's answer about a line: `{ok, body}`, or `{notHere: true}` when the very driver that took it does not
     * know it or has another journal (which is not "nothing happened"), or neither.
     */
    async _askDriver(line, question) {
        const client = this.terminals.client(line.card_driver_ref);
        if (!client) {
            return {};
        }
        const answer = await client.transaction(line.card_transaction_uuid, question);
        const gone = answer.problem?.code === "no_such_transaction";
        const otherJournal = answer.ok && answer.body.journal_id !== line.card_journal_ref;
        return gone || otherJournal ? { notHere: true } : answer;
    }

    async _askOdoo(lines) {
        try {
            const uuids = lines.map((line) => line.card_transaction_uuid);
            for (const told of await this.terminals.rpc("card_terminal_transactions", { orders: [], uuids })) {
                const line = lines.find((l) => l.card_transaction_uuid === told.uuid);
                if (line) {
                    this.learn(line, fromOdoo(told));
                }
            }
        } catch {
            return; // offline: asked again later
        }
    }

    // Learning ---------------------------------------------------------------------------------------------------------

    /** Takes in a transaction as the driver says it. */
    heard(line, told) {
        const progress = told.progress;
        if (progress && isInDialog(told.state)) {
            const left = progress.seconds_left;
            const until = typeof left === "number" ? Date.now() + left * 1000 : null;
            this.show(line, sentence(progress.code, progress.text), until);
        }
        this.learn(line, fromDriver(told));
    }

    /** Takes in what is known of a line's transaction (utils/card_transaction.js). What has ended stays as it is. */
    learn(line, known) {
        if (known.uuid !== line.card_transaction_uuid || !isOpen(line.card_state)) {
            return;
        }
        line.uiState.cardAnswer = known.answer || line.uiState.cardAnswer;
        const backwards = line.card_state === "unknown" && isInDialog(known.state);
        if (known.state === line.card_state || backwards) {
            return;
        }
        const row = CARD_STATES[rowName(known.state, known.settledPaid)];
        line.card_state = known.state;
        line.card_text = String(known.text || "");
        line.uiState.cardUnreachable = known.code === "unreachable";
        line.uiState.cardRemedy = known.remedy;
        line.setPaymentStatus(row.status);
        if (isInDialog(known.state)) {
            return;
        }
        delete this.progress[line.uuid];
        const tip = row.status === "done" ? this._book(line, known) : 0;
        this.pos.data.synchronizeLocalDataInIndexedDB();
        if (row.status === "done") {
            this._finish(line, tip);
        } else if (known.state === "unknown") {
            this.onUnknown(line);
            this._watch(false);
        }
    }

    /**
     * Certainly nothing was charged: the line says why and offers another attempt. `unreachable`: nothing answered, so
     * the customer may pay on the terminal alone.
     */
    refuse(line, text, { unreachable = false } = {}) {
        delete this.progress[line.uuid];
        line.uiState.cardUnreachable = unreachable;
        line.uiState.cardRemedy = "";
        line.card_state = "failed";
        line.card_text = String(text);
        line.setPaymentStatus(CARD_STATES.failed.status);
    }

    /** A fault of our own: what had not been sent failed, what may have been is unknown. */
    lost(line, error) {
        console.warn("card payment", error);
        if (isOpen(line.card_state)) {
            this.learn(line, { uuid: line.card_transaction_uuid, state: "unknown", text: "" });
        } else if (line.payment_status !== "done") {
            this.refuse(line, _t("The payment could not be prepared, so nothing was sent."));
        }
    }

    /** Shows what happens meanwhile; `until` (milliseconds) is counted down. */
    show(line, text, until = null) {
        this.progress[line.uuid] = { text: String(text), until };
    }

    /** Whether a press on Card is being prepared in this tab. */
    preparing(line) {
        return Boolean(this.progress[line.uuid]);
    }

    /** A card has paid: its tip is an article of the order, and the order is done if nothing else is due. */
    async _finish(line, tip) {
        if (tip) {
            await this.tips.add(line, tip);
            this.pos.data.synchronizeLocalDataInIndexedDB();
        }
        this.onApproved(line);
        await this.validate(line);
    }

    /** Writes the terminal's evidence and the approved amount on the line; returns the tip in it (minor units). */
    _book(line, known) {
        const currency = this.pos.currency;
        line.update({
            card_brand: known.brand || "",
            card_no: known.last4 || "",
            payment_method_authcode: known.authCode || "",
            payment_method_payment_mode: known.entryMode || "",
        });
        line.ticket = known.receipt || "";
        line.card_tippable = known.tippable;
        line.uiState.cardMerchantSlip = known.merchantReceipt || "";
        if (known.signature && line.amount > 0) {
            line.card_signature ||= "wanted";
        }
        const approved = known.amountApproved;
        const asked = Math.abs(minorUnits(line.amount, currency.decimal_places));
        if (typeof approved !== "number" || approved === asked) {
            return 0;
        }
        if (known.tip > 0 && approved - known.tip === asked && this.tips.accepted && line.amount > 0) {
            return known.tip;
        }
        if (approved < asked) {
            line.amount = Math.sign(line.amount) * majorUnits(approved, currency.decimal_places);
            this.notify(line.pos_order_id, _t("Approved in part: the rest is still due."), "warning");
        } else {
            // Never change from the drawer: the difference stays an exception for a manager.
            this.notify(line.pos_order_id, _t("The terminal took more than was asked. Tell your manager."), "danger");
        }
        return 0;
    }

    /** Validates the order of a line that is paid, where this tab began it and nothing else is to be done. */
    async validate(line) {
        const order = line.pos_order_id;
        const ready =
            line.uiState.cardStartedHere &&
            !order.finalized &&
            order.isPaid() &&
            !order.cardSignatureIsOpen &&
            !order.isRefundInProcess() &&
            this.pos.config.auto_validate_terminal_payment &&
            !this.validating.has(order.uuid);
        if (!ready) {
            return;
        }
        this.validating.add(order.uuid);
        try {
            await new CardOrderValidation({ pos: this.pos, orderUuid: order.uuid }).validateOrder(false);
        } finally {
            this.validating.delete(order.uuid);
        }
    }

    notify(order, text, type) {
        this.pos.notification.add(`${order.pos_reference}: ${text}`, { type, sticky: type === "danger" });
    }
}
