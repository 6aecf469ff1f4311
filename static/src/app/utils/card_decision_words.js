import { _t } from "@web/core/l10n/translation";

/** What is said where Odoo cannot be asked: the decision waits, the shop goes on. */
export const OFFLINE = _t(
    "Odoo cannot be reached, and only Odoo can check a manager's approval. Keep the terminal's slip, leave the order as it is and serve the next customer. Decide when the connection is back."
);

const AMOUNT = { name: "amount", label: _t("Amount on the slip"), mode: "decimal", width: 6, required: true };
const AUTHORISATION = { name: "auth_code", label: _t("Authorisation number"), width: 6 };

const SLIP_PAID = _t("The slip says paid");
const SLIP_NOT_PAID = _t("The slip says not paid");
const NO_TRACE = _t("The terminal's report does not show it");
const IN_REPORT = _t("The terminal's report shows it");
const BANK = _t("The bank confirmed it on the phone");
const LINK_DOWN = _t("The terminal could not be reached");

/**
 * The decisions a manager can take at the till (`action` of `card_terminal_decide`): one row each, with what is asked
 * for and the reasons offered.
 */
export const DECISIONS = {
    force_done: {
        label: _t("Force done: the card was charged"),
        button: _t("It was paid"),
        icon: "fa-check",
        tone: "success",
        fields: [AMOUNT, AUTHORISATION],
        reasons: [SLIP_PAID, IN_REPORT, BANK],
    },
    force_cancel: {
        label: _t("Force cancel: nothing was charged"),
        button: _t("It was not paid"),
        icon: "fa-times",
        tone: "danger",
        fields: [],
        reasons: [SLIP_NOT_PAID, NO_TRACE, BANK],
    },
    typed_by_hand: {
        label: _t("The card was taken on the terminal alone"),
        button: _t("Typed by hand"),
        icon: "fa-pencil",
        tone: "info",
        fields: [
            AMOUNT,
            { name: "slip", label: _t("Slip number"), width: 6, required: true },
            AUTHORISATION,
            { name: "last4", label: _t("Last four digits of the card"), width: 6, length: 4, mode: "numeric" },
        ],
        reasons: [LINK_DOWN, _t("The driver did not run"), _t("The network was down")],
    },
    attach: {
        label: _t("Book it on the order on the screen"),
        button: _t("Book on this order"),
        icon: "fa-link",
        tone: "info",
        fields: [],
        reasons: [_t("It is the payment of this order")],
    },
    not_paid: {
        label: _t("Nothing was charged"),
        button: _t("It was not paid"),
        icon: "fa-times",
        tone: "danger",
        fields: [],
        reasons: [SLIP_NOT_PAID, NO_TRACE, BANK],
    },
    refund: {
        label: _t("Give it back to the card, on the terminal"),
        button: _t("Refund on the terminal"),
        icon: "fa-undo",
        tone: "warning",
        fields: [],
        reasons: [_t("The customer paid another way"), _t("It was charged by mistake")],
    },
    suspense: {
        label: _t("Book it on the suspense account: whose it is will be found later"),
        button: _t("Keep it aside"),
        icon: "fa-inbox",
        tone: "info",
        fields: [],
        reasons: [_t("The customer has left"), _t("The order cannot be found")],
    },
    acknowledge: {
        label: _t("Take note: it is in order as it is"),
        button: _t("Take note"),
        icon: "fa-eye",
        tone: "info",
        fields: [],
        reasons: [_t("Checked against the slip"), IN_REPORT],
    },
};
