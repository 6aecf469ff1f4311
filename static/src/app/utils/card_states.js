import { _t } from "@web/core/l10n/translation";

/**
 * What each state of a card transaction means for its payment line: one row per state, read by the models
 * (may the line go, is the order frozen) and by the screen (title, tone, buttons).
 *
 * `status` is the payment line's status, `open` freezes the order, `kept` forbids deleting the line.
 * Buttons: send, retry, cancel, ask (what does the slip say), decide (a manager does), park (serve the next customer),
 * signature (all right or not), merchantSlip (print it).
 */
export const CARD_STATES = {
    "": {
        status: "pending",
        title: _t("Ready to send"),
        tone: "secondary",
        buttons: ["send"],
    },
    checking: {
        status: "waiting",
        title: _t("Asking the terminal"),
        tone: "info",
        busy: true,
        open: true,
        kept: true,
        buttons: [],
    },
    requested: {
        status: "waitingCard",
        open: true,
        kept: true,
        title: _t("Sending to the terminal"),
        tone: "info",
        busy: true,
        buttons: ["park"],
    },
    sent: {
        status: "waitingCard",
        open: true,
        kept: true,
        title: _t("Waiting for the card"),
        tone: "info",
        busy: true,
        buttons: ["cancel", "park"],
    },
    approved: {
        status: "done",
        kept: true,
        title: _t("Approved"),
        tone: "success",
        buttons: [],
    },
    signature_wanted: {
        status: "done",
        kept: true,
        title: _t("Is the signature all right?"),
        tone: "warning",
        buttons: ["signature", "merchantSlip"],
    },
    signature_bad: {
        status: "done",
        kept: true,
        title: _t("The signature is not all right: the payment must be taken back"),
        tone: "danger",
        buttons: ["merchantSlip"],
    },
    declined: {
        status: "retry",
        title: _t("Declined"),
        tone: "warning",
        buttons: ["retry"],
    },
    cancelled: {
        status: "retry",
        title: _t("Cancelled on the terminal"),
        tone: "warning",
        buttons: ["retry"],
    },
    failed: {
        status: "retry",
        title: _t("Nothing was charged"),
        tone: "warning",
        buttons: ["retry"],
    },
    unknown: {
        status: "cardUnknown",
        open: true,
        kept: true,
        title: _t("Result not known"),
        tone: "danger",
        buttons: ["ask", "decide", "park"],
    },
    settled_paid: {
        status: "done",
        kept: true,
        title: _t("Paid, a manager confirmed it"),
        tone: "success",
        buttons: [],
    },
    settled_not_paid: {
        status: "retry",
        title: _t("Not paid, a manager confirmed it"),
        tone: "warning",
        buttons: ["retry"],
    },
};

/** Words of the wire (docs/api.md) for a settlement by hand become one of two rows. */
export function rowName(state, settledPaid) {
    return state === "settled_by_hand" ? (settledPaid ? "settled_paid" : "settled_not_paid") : state;
}

/**
 * @param {object} line a pos.payment
 * @returns {object} the row of its state
 */
export function cardRow(line) {
    if (line.payment_status === "waiting") {
        return CARD_STATES.checking;
    }
    if (line.cardSignatureIsOpen) {
        return CARD_STATES[`signature_${line.card_signature}`];
    }
    return CARD_STATES[rowName(line.card_state || "", line.payment_status === "done")];
}

/** A transaction in this state may still charge, or may have charged, without anybody knowing. */
export function isOpen(state) {
    return Boolean(CARD_STATES[state]?.open);
}

/** The driver is still talking with the terminal, as far as is known. */
export function isInDialog(state) {
    return state === "requested" || state === "sent";
}
