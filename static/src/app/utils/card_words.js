import { ConnectionLostError } from "@web/core/network/rpc";
import { _t } from "@web/core/l10n/translation";

/**
 * Sentences for the cashier, by the stable codes of the driver; a code without a sentence keeps the driver's own.
 */
const SENTENCES = {
    // why the driver refused (problem+json `code`)
    no_grant: _t("The driver does not know this till. Reload the point of sale."),
    bad_grant: _t("The driver does not accept this till. Pair it with this Odoo again."),
    expired_grant: _t("The permission of this session has expired. Reload the point of sale."),
    not_granted: _t("This till may not use that terminal. Choose another one."),
    wrong_origin: _t("The driver does not know this address of Odoo. Check its configuration."),
    wrong_host: _t("The driver does not answer under this name. Check its address in Odoo."),
    bad_amount: _t("This amount cannot be sent to the terminal."),
    bad_currency: _t("This currency cannot be sent to the terminal."),
    no_such_terminal: _t("The driver does not know this terminal. Choose another one."),
    line_not_ended: _t("Another card payment of this order is not settled. Do not take the card again."),
    over_refund: _t("More would be refunded than was paid by card."),
    not_supported: _t("This terminal cannot do this. Choose another one."),
    journal_unavailable: _t("The driver cannot write its journal, so nothing was sent. Its disk may be full."),
    one_time_grant_missing: _t("Odoo must allow this refund first."),
    one_time_grant_mismatch: _t("Odoo allowed another refund than this one."),
    not_listening: _t("The card driver is not connected to Odoo, so nothing was sent."),
    expired_command: _t("The request reached the driver too late. Ask again."),
    // how a transaction ended (outcome `code`)
    declined: _t("Declined by the bank."),
    phone_referral: _t("The bank asks for a call. Nothing was charged."),
    forbidden: _t("This card may not be used here."),
    not_completed: _t("The transaction was not completed."),
    cardholder_abort: _t("The customer gave up on the terminal."),
    operator_abort: _t("Cancelled on the terminal."),
    aborted: _t("Given up on the terminal. Nothing was charged."),
    no_funds: _t("There is not enough money on the account. Nothing was charged."),
    wrong_pin: _t("The PIN was wrong. Nothing was charged."),
    card_expired: _t("The card has expired. Nothing was charged."),
    card_refused: _t("The terminal does not take this card. Nothing was charged."),
    card_blocked: _t("This card is blocked. Nothing was charged."),
    card_unreadable: _t("The card could not be read. Nothing was charged."),
    no_connection: _t("The terminal has no connection to its payment network. Nothing was charged."),
    day_open: _t("The terminal wants an end of day first. Nothing was charged."),
    diagnosis_needed: _t("The terminal wants a diagnosis first. Nothing was charged."),
    not_set_up: _t("The terminal is not set up for this. Nothing was charged."),
    memory_full: _t("The terminal's memory is full: make an end of day. Nothing was charged."),
    terminal_locked: _t("The terminal is locked: call its provider. Nothing was charged."),
    terminal_defective: _t("The terminal is not in order: call its provider. Nothing was charged."),
    maintenance: _t("The terminal is being maintained: wait until it is ready again. Nothing was charged."),
    card_inserted: _t("There is a card in the terminal: take it out. Nothing was charged."),
    printer_not_ready: _t("The terminal's printer is not ready: put in paper. Nothing was charged."),
    taken_back: _t("The terminal took the payment back. Nothing was charged."),
    already_reversed: _t("This payment has been reversed already. Nothing was charged."),
    reversal_not_possible: _t("The terminal cannot reverse this payment. Make a refund instead."),
    timeout: _t("No card was presented in time."),
    // what was done without a customer (outcome `code`)
    settled: _t("End of day done."),
    reprinted: _t("Printed again."),
    totals: _t("The terminal's sums so far. Nothing was sent off."),
    diagnosed: _t("The diagnosis is done."),
    initialised: _t("The terminal is initialised."),
    expired: _t("The request reached the driver too late, so nothing was sent."),
    unreachable: _t("The terminal does not answer. Is it switched on and on the network?"),
    driver_restarted: _t("The driver was restarted."),
    // why nobody knows how it ended (outcome `code` of unknown)
    no_answer: _t("The terminal took the request and never answered."),
    link_lost: _t("The connection to the terminal broke before it answered."),
    reply_cut: _t("The connection to the terminal broke in the middle of its answer."),
    reply_malformed: _t("The terminal's answer cannot be read."),
    reply_incomplete: _t("The terminal's answer lacks what proves the payment."),
    reply_mismatch: _t("The terminal answered about another payment."),
    reply_contradictory: _t("The terminal's answer contradicts itself."),
    amount_above: _t("The terminal says more than was asked for."),
    amount_zero: _t("The terminal says that it succeeded and took nothing."),
    not_a_result: _t("The terminal took the request and told no result."),
    // what happens meanwhile (progress `code`)
    waiting_for_card: _t("The amount is on the terminal. Waiting for the customer's card."),
    waiting_for_terminal: _t("Waiting for the terminal."),
    pin: _t("The customer looks at the PIN pad."),
    waiting_for_host: _t("Waiting for the bank."),
    please_wait: _t("The terminal is at work: please wait."),
    remove_card: _t("The customer takes the card out."),
    confirm_amount: _t("The customer confirms the amount."),
    selection: _t("The customer chooses on the terminal."),
    input: _t("The customer types on the terminal."),
    connecting: _t("The terminal connects to its bank."),
    reversing: _t("The terminal takes the payment back."),
    settling: _t("The terminal makes its end of day."),
    asking_terminal: _t("The answer was lost. Asking the terminal what became of the payment: do not take the card again."),
    storing: _t("The terminal has answered, but the driver cannot store it: its disk is full or broken."),
};

/** How a terminal stands (outcome `details.condition`); a word without a sentence keeps the driver's own. */
const CONDITIONS = {
    ready: _t("The terminal is ready."),
    busy: _t("The terminal is at work. Wait a moment."),
    locked: _t("The terminal is locked. Call its provider."),
    card_inserted: _t("There is a card in the terminal: take it out."),
    out_of_order: _t("The terminal is out of order. Call its provider."),
    initialisation_needed: _t("The terminal must be initialised before it takes payments."),
    diagnosis_needed: _t("The terminal wants a diagnosis before it takes payments."),
    time_not_set: _t("The terminal's date and time are not set: make a diagnosis."),
    memory_full: _t("The terminal's memory is full: make an end of day."),
    end_of_day_due: _t("The terminal wants an end of day before it takes payments."),
    voltage: _t("The terminal's power supply is too weak: charge it or plug it in."),
    printer_not_ready: _t("The terminal's printer is not ready: put in paper."),
    maintenance: _t("The terminal is being maintained: wait until it is ready again."),
    other: _t("The terminal reports a state that nobody here knows. Look at its display."),
};

/** @param {string} word condition of a terminal; "" where it told none */
export function conditionText(word, text) {
    return String(CONDITIONS[word] || text || "");
}

/** Codes whose sentence depends on what became of the money: there the driver's own words are better. */
const ONLY_WHEN_SAFE = new Set(["driver_restarted", "declined"]);

/**
 * @param {string} code stable word of the driver
 * @param {string} text the driver's own words
 * @param {boolean} [unknown] the money is not known
 */
export function sentence(code, text, unknown = false) {
    if (unknown && ONLY_WHEN_SAFE.has(code)) {
        return text;
    }
    return String(SENTENCES[code] || text || "");
}

/** What a refusal of the driver says to the cashier. */
export function refusal(problem) {
    if (problem.code === "terminal_busy" && problem.holder) {
        return _t("The terminal is in use by %(till)s (%(operator)s).", {
            till: problem.holder.till || "?",
            operator: problem.holder.operator || "?",
        });
    }
    return sentence(problem.code, problem.detail || problem.title);
}

/** Why nothing was sent: the driver refused the question for its health, or did not answer. */
export function notReachableText(health, terminal) {
    if (health.problem) {
        return refusal(health.problem);
    }
    return _t(
        "The card driver of %(terminal)s does not run, so nothing was sent. Start it (%(url)s) and press Retry, or choose another terminal or another way to pay.",
        { terminal: terminal.name, url: terminal.driver_id.url }
    );
}

/** Another till has an open card payment on this order; `row` is Odoo's. */
export function elsewhereText(row) {
    return _t("A card payment of this order is not settled on another till (%(till)s, %(operator)s).", {
        till: row.till || "?",
        operator: row.operator || "?",
    });
}

/** What a failed call to Odoo says; `offline` where Odoo did not say anything. */
export function rpcText(error, offline) {
    return error instanceof ConnectionLostError ? offline : error.data?.message || offline;
}
