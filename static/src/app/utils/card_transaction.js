import { sentence } from "./card_words";

/**
 * One shape for what the driver (docs/api.md 1.3) and Odoo (`card_terminal_transactions`) say of a transaction:
 * `{uuid, state, code, settledPaid, amountApproved, tip, text, brand, last4, authCode, entryMode, receipt,
 * merchantReceipt, signature, tippable, remedy, answer}`. Amounts are minor units; `tip` is part of what was approved; `tippable`:
 * the terminal takes a tip on it afterwards; `remedy`: the kind of request that makes it take payments again, or "".
 */

/** @param {object} told a transaction as the driver's API says it */
export function fromDriver(told) {
    const outcome = told.outcome || {};
    const details = outcome.details || {};
    return {
        uuid: told.uuid,
        state: told.state,
        code: told.code || "",
        settledPaid: told.settled ? Boolean(told.settled.paid) : null,
        amountApproved: told.amount_approved,
        tip: Number(details.tip || 0),
        text: ended(told),
        brand: outcome.brand || "",
        last4: outcome.last4 || "",
        authCode: outcome.auth_code || "",
        entryMode: outcome.entry_mode || "",
        receipt: outcome.receipt || "",
        merchantReceipt: outcome.merchant_receipt || "",
        signature: details.signature === "yes",
        tippable: details.tippable === "yes",
        remedy: details.remedy || "",
        answer: null,
    };
}

/** How it ended: our sentence, and what the terminal itself had to say to it. */
function ended(told) {
    const text = sentence(told.code, told.text, told.money === "unknown");
    const own = told.outcome?.details?.text?.trim();
    return own && told.state === "declined" && !text.includes(own) ? `${text} (${own})` : text;
}

/** @param {object} told a row of `card_terminal_transactions` */
export function fromOdoo(told) {
    return {
        uuid: told.uuid,
        state: told.state,
        code: told.code || "",
        settledPaid: told.settled_paid,
        amountApproved: told.amount_approved,
        tip: told.tip || 0,
        text: told.text || "",
        brand: told.brand || "",
        last4: told.last4 || "",
        authCode: told.auth_code || "",
        entryMode: told.entry_mode || "",
        receipt: told.receipt || "",
        merchantReceipt: "",
        signature: Boolean(told.signature),
        tippable: Boolean(told.tippable),
        remedy: "",
        answer: told.answer || null,
    };
}

/** Seconds between the press and the last moment at which the driver may still begin (by the driver's clock). */
const PRESS_SECONDS = 30;

/** @param {string} now the driver's clock, as `GET /v1/health` tells it */
export function pressUntil(now) {
    return new Date(Date.parse(now) + PRESS_SECONDS * 1000).toISOString();
}
