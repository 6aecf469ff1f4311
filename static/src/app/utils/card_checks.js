import { _t } from "@web/core/l10n/translation";
import { refusal } from "./card_words";

/**
 * What the diagnostics page says: facts in, findings out; nothing is asked here.
 *
 * A finding is `{part, level, code, title, text, todo}`: `part` is where in the picture (direct, relay, driver, odoo,
 * terminal), `level` ok, warn, bad or idle, `todo` what somebody can do about it (may be empty).
 */

/** Why the browser does not reach the driver itself: by code, what it means and what to do. */
const DIRECT = {
    mixed_content: [
        _t("This browser does not let a secure page call the driver's plain address."),
        _t("Use Chrome, Edge or Firefox on the machine the driver runs on, give the driver a certificate, or let payments go through Odoo. Safari and every browser on an iPad are like this."),
    ],
    denied: [
        _t("The browser was told not to let this page into the local network."),
        _t("Press the icon to the left of the address, open the site's settings, allow the local network (or apps on this device), and reload the page."),
    ],
    prompt: [
        _t("The browser has not yet been allowed to let this page into the local network."),
        _t("Press “Ask the browser” and then Allow."),
    ],
    silent: [
        _t("Nothing answers at the driver's address."),
        _t("Is its machine on, and the driver running? Is the address in Odoo right? If the driver is on another machine, does a firewall stand between?"),
    ],
    closed: [
        _t("Something answers there, but not to this page."),
        _t("Tills must open Odoo under an address that the driver knows. In Odoo, write this page's address under “Further Addresses of Odoo” of the driver."),
    ],
    other_driver: [
        _t("Another driver answers there."),
        _t("Check the driver's address in Odoo: two drivers may have been mixed up."),
    ],
    other_server: [
        _t("Something else answers there, which is not a card driver."),
        _t("Check the driver's address and port in Odoo."),
    ],
    timeout: [_t("The driver answers too slowly."), _t("Is its machine overloaded, or the network?")],
};

/** Why commands do not go through Odoo. */
const RELAY = {
    offline: [_t("This till does not reach Odoo."), _t("Check the internet connection.")],
    relay_off: [_t("The driver's settings in Odoo allow the direct road only."), ""],
    odoo_refused: [_t("Odoo did not pass the command on."), _t("Reload the page; then ask whoever looks after Odoo.")],
    timeout: [_t("The driver did not answer through Odoo in time."), _t("Is the driver running, and does its machine reach Odoo?")],
    unreachable: [_t("This till does not reach Odoo."), _t("Check the internet connection.")],
    not_listening: [
        _t("The driver is not connected to Odoo."),
        _t("Is the driver running, and does its machine reach Odoo?"),
    ],
};

const finding = (part, level, code, title, [text = "", todo = ""] = []) => ({ part, level, code, title, text, todo });

/** Why the direct road is closed, as a code of DIRECT; null where the driver answers or refuses by itself. */
export function directCode({ access, reached, direct, driver }) {
    if (direct.ok) {
        return direct.body.driver === driver ? null : "other_driver";
    }
    if (direct.problem) {
        return null;
    }
    if (["mixed_content", "denied"].includes(access) || (access === "prompt" && !reached)) {
        return access;
    }
    if (!reached) {
        return "silent";
    }
    return direct.link === "unreachable" ? "closed" : direct.link;
}

function directRoad(facts) {
    const title = _t("Directly");
    const code = directCode(facts);
    if (code) {
        return finding("direct", facts.road === "relay" ? "warn" : "bad", code, title, DIRECT[code] || [code]);
    }
    if (facts.direct.problem) {
        return finding("direct", "bad", facts.direct.problem.code, title, [refusal(facts.direct.problem)]);
    }
    return finding("direct", "ok", "ok", title, [_t("The till reaches the driver.")]);
}

function relayRoad({ road, why, online, direct }) {
    const title = _t("Through Odoo");
    const code = online ? why?.relay : "offline";
    if (code) {
        return finding("relay", direct.ok ? "warn" : "bad", code, title, RELAY[code] || [_t("Not open: %s", code)]);
    }
    return road === "relay"
        ? finding("relay", "ok", "ok", title, [_t("Payments go through Odoo.")])
        : finding("relay", "idle", "unused", title, [_t("Not needed while the direct road is open.")]);
}

function driverItself({ health }) {
    const title = _t("Driver");
    if (!health) {
        return finding("driver", "idle", "not_asked", title, [_t("It could not be asked.")]);
    }
    const version = _t("Version %(version)s. Journal %(journal)s with %(events)s events.", {
        version: health.version,
        journal: String(health.journal_id).slice(0, 8),
        events: health.last,
    });
    if (health.status === "refusing") {
        return finding("driver", "bad", "refusing", title, [
            _t("It refuses to sell: %s", health.odoo?.error || _t("it belongs to another database.")),
            _t("A copied database or a restored driver? Pair the driver with this Odoo again."),
        ]);
    }
    if (health.status === "stopping") {
        return finding("driver", "warn", "stopping", title, [_t("It is about to stop."), _t("Wait, then test again.")]);
    }
    return finding("driver", "ok", "ok", title, [version]);
}

function driverAndOdoo({ health }, when) {
    const title = _t("Driver and Odoo");
    if (!health) {
        return finding("odoo", "idle", "not_asked", title, [_t("It could not be asked.")]);
    }
    if (!health.odoo) {
        return finding("odoo", "bad", "not_paired", title, [
            _t("The driver is not paired with an Odoo."),
            _t("Connect it from Odoo: Card Terminals, Drivers."),
        ]);
    }
    const { error, last_contact: contact, acked } = health.odoo;
    const waiting = health.last - acked;
    if (error) {
        const kept = _t("Sales go on; the driver keeps what it has to report. Does its machine reach Odoo?");
        return finding("odoo", "warn", "no_contact", title, [error, kept]);
    }
    const said = contact ? _t("Last contact %s.", when(contact)) : _t("No contact yet.");
    return waiting > 0
        ? finding("odoo", "warn", "behind", title, [_t("%(said)s %(waiting)s events are still to be reported.", { said, waiting })])
        : finding("odoo", "ok", "ok", title, [said]);
}

function terminalItself({ told, health }, when) {
    const title = _t("Terminal");
    if (!told) {
        const unknown = [_t("The driver does not know this terminal yet."), _t("It learns of it when it reaches Odoo.")];
        return health
            ? finding("terminal", "bad", "no_such_terminal", title, unknown)
            : finding("terminal", "idle", "not_asked", title, [_t("It could not be asked.")]);
    }
    const seen = told.last_seen ? _t("Last heard %s.", when(told.last_seen)) : "";
    if (told.holder) {
        const held = _t("In use by %(till)s (%(operator)s).", {
            till: told.holder.till || "?",
            operator: told.holder.operator || "?",
        });
        return finding("terminal", "ok", "in_use", title, [held]);
    }
    if (told.notice && ["free", "unused"].includes(told.link.state)) {
        return finding("terminal", "warn", "other_identity", title, [
            told.notice,
            _t("If it was exchanged or repaired, confirm in Odoo who it is: Card Terminals, Terminals."),
        ]);
    }
    const { state, text } = told.link;
    if (state === "free") {
        return finding("terminal", "ok", "free", title, [seen || _t("It answered the last time.")]);
    }
    if (state === "unused") {
        return finding("terminal", "idle", "unused", title, [_t("Not used since the driver was started.")]);
    }
    return finding("terminal", "bad", state, title, [
        [text, seen].filter(Boolean).join(" "),
        _t("Is the terminal switched on, on the network, and its address right in Odoo?"),
    ]);
}

/**
 * @param {object} facts of one terminal (services/card_diagnostics.js)
 * @param {(iso: string) => string} when how a time is shown
 * @returns {object[]} findings
 */
export function findings(facts, when) {
    return [directRoad, relayRoad, driverItself, driverAndOdoo, terminalItself].map((check) => check(facts, when));
}

/** Whether a payment can be sent now, and over which road: "direct", "relay" or null. */
export function openRoad(facts) {
    return facts.direct.ok && !directCode(facts) ? "direct" : facts.road === "relay" ? "relay" : null;
}
