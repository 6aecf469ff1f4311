import { browser } from "@web/core/browser/browser";

/** Frames in so many seconds: Odoo bears 10 in 2, and all pages of this Odoo in this browser share one websocket. */
const MOST = 3;
const SECONDS = 2.5;

/**
 * The websocket of Odoo's bus as a way for a till's commands (docs/api.md 2.3): quicker than a call, and nothing
 * tells whether Odoo heard but the driver's answer, or Odoo's word that it sent nothing.
 */
export class RelaySocket {
    /**
     * @param {object} options
     * @param {object} options.bus Odoo's bus service
     * @param {() => number} [options.clock] steady milliseconds
     */
    constructor({ bus, clock = () => browser.performance.now() }) {
        this.bus = bus;
        this.clock = clock;
        this.sent = [];
    }

    /** Whether a command may go there now. */
    get hasRoom() {
        const since = this.clock() - SECONDS * 1000;
        this.sent = this.sent.filter((at) => at > since);
        // One that is not connected would keep the command, and send it whenever it is again.
        return this.bus.workerState === "CONNECTED" && this.sent.length < MOST;
    }

    /** Sends a command by a session grant of the driver it is for. */
    send(grant, request) {
        this.sent.push(this.clock());
        this.bus.send("card_terminal_command", { grant, request });
    }
}
