import { _t } from "@web/core/l10n/translation";
import { browser } from "@web/core/browser/browser";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { Component, markRaw, onMounted, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { usePos } from "@point_of_sale/app/hooks/pos_hook";
import { findings, openRoad } from "../../utils/card_checks";

const LEVELS = {
    ok: "fa-check-circle text-success",
    warn: "fa-exclamation-triangle text-warning",
    bad: "fa-times-circle text-danger",
    idle: "fa-minus-circle text-muted",
};

/** Which road to each terminal is open, and why another is not: as a picture, then in words with what to do. */
export class CardDiagnosticsDialog extends Component {
    static template = "pos_card_terminal.CardDiagnostics";
    static components = { Dialog };
    static props = { close: Function };

    setup() {
        this.pos = usePos();
        this.diagnostics = this.pos.cardPayments.diagnostics;
        this.levels = LEVELS;
        this.state = useState({ all: [], chosen: 0, testing: false, report: "" });
        onMounted(() => this.test());
    }

    async test() {
        this.state.testing = true;
        this.state.report = "";
        try {
            this.state.all = markRaw(await this.diagnostics.test());
        } finally {
            this.state.testing = false;
        }
    }

    get facts() {
        return this.state.all[this.state.chosen];
    }

    get findings() {
        return findings(this.facts, (text) => this.when(text));
    }

    /** Level of one part of the picture. */
    level(part) {
        return this.findings.find((finding) => finding.part === part).level;
    }

    road(facts = this.facts) {
        return openRoad(facts);
    }

    get summary() {
        return {
            direct: _t("Payments go straight from this till to the driver."),
            relay: _t("Payments go through Odoo to the driver."),
        }[this.road()] || _t("No road to this terminal is open: no card payment can be sent to it.");
    }

    /** The terminal can say how it stands. */
    get canIdentify() {
        return Boolean(this.road()) && this.pos.cardPayments.terminals.can(this.facts.terminal, { kind: "identify" });
    }

    identify() {
        this.pos.cardPayments.errands.open(this.facts.terminal, "identify");
    }

    /** The browser's question stands between. */
    get canAsk() {
        return this.facts.access === "prompt" && !this.facts.reached;
    }

    async askBrowser() {
        await this.pos.cardPayments.network.explain(this.facts.url, { again: true });
        await this.test();
    }

    when(text) {
        return formatDateTime(deserializeDateTime(text.replace("T", " ").replace(/(\.\d+)?Z$/, "")));
    }

    /** Puts the text into the clipboard where the browser has one for this page, and on the screen anyway. */
    async copy() {
        this.state.report = this.diagnostics.report(this.state.all, (text) => this.when(text));
        try {
            await browser.navigator.clipboard.writeText(this.state.report);
            this.pos.notification.add(_t("Copied."), { type: "success" });
        } catch {
            this.pos.notification.add(_t("Mark the text below and copy it."), { type: "info" });
        }
    }
}
