import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";
import { uuidv4 } from "@point_of_sale/utils";

/** Seconds for which what the driver last said of itself, its clock included, counts as its health. */
const FRESH = 120;
/** Seconds without news after which a transaction is asked for: news may get lost. */
const SILENCE = 8;
/** Transactions whose last news is kept. */
const KEPT = 50;
/** Seconds in which a command over the websocket is answered; else it is sent as a call. */
const CONFIRMED = 1.5;
/** Seconds between two trials whether commands over the websocket are heard. */
const TRIAL = 60;

/**
 * The driver as one till sees it through Odoo (docs/api.md 2.3): the same face and answers as DriverClient.
 *
 * A command is one short call to Odoo; the answer and every later change come over Odoo's bus (`hear`). A command is
 * sent once: a lost answer is for `transaction` to clear up. A start goes over the bus's websocket where another command
 * was answered there, and as a call, under the same id, where it is not: a driver carries out one id once.
 */
export class RelayClient {
    /**
     * @param {object} options
     * @param {string} options.driver id of the driver
     * @param {(request: object) => Promise<object>} options.send calls `card_terminal_relay`
     * @param {RelaySocket} [options.socket]
     * @param {() => string} [options.grant] the session grant by which commands go over the socket
     * @param {() => number} [options.clock] steady milliseconds
     */
    constructor({ driver, send, socket = null, grant = () => "", clock = () => browser.performance.now() }) {
        this.driver = driver;
        this.send = send;
        this.socket = socket;
        this.grant = grant;
        this.socketWorks = false;
        this.triedAt = -Infinity;
        this.clock = clock;
        this.waiting = new Map(); // command -> resolve
        this.refused = new Map(); // command over the websocket -> resolve
        this.news = new Map(); // transaction -> what was said last
        this.curious = new Set(); // called at news: (uuid) => void
        this.said = null; // what the driver said of itself, and when
    }

    /**
     * Says at once what is known, where it is fresh; the clock goes on from where the driver's was. (A browser's steady
     * clock may stand still while the machine sleeps: the time told is then too early, and a start refused as late.)
     */
    async health() {
        const age = this.said ? this.clock() - this.said.at : Infinity;
        if (age < FRESH * 1000) {
            const now = new Date(Date.parse(this.said.body.now) + age).toISOString();
            return { ok: true, status: 200, body: { ...this.said.body, now } };
        }
        return this._call("health", { seconds: 6 });
    }

    start(uuid, body, oneTimeGrant) {
        return this._call("start", { uuid, body, grant: oneTimeGrant, seconds: 15 });
    }

    async transaction(uuid, { after = null, wait = 0 } = {}) {
        if (after !== null) {
            const news = await this._newsAfter(uuid, after, Math.min(wait, SILENCE));
            if (news) {
                return { ok: true, status: 200, body: news };
            }
        }
        return this._call("ask", { uuid, seconds: 8 });
    }

    cancel(uuid) {
        return this._call("cancel", { uuid, seconds: 30 });
    }

    /** Takes a message of Odoo's bus: {driver, journal_id, now, command, uuid, status, body}. */
    hear({ driver, command, uuid, status, body, now }) {
        if (driver !== this.driver) {
            return;
        }
        if (body?.driver === driver) {
            this.said = { at: this.clock(), body };
        } else if (this.said && body?.journal_id === this.said.body.journal_id) {
            this.said = { at: this.clock(), body: { ...this.said.body, now } };
        } else if (body?.journal_id) {
            this.said = null; // another journal than before: its driver is asked anew
        }
        if (status < 300 && body?.state) {
            this.news.delete(uuid);
            this.news.set(uuid, body);
            if (this.news.size > KEPT) {
                this.news.delete(this.news.keys().next().value);
            }
        }
        const answer = status < 300 ? { ok: true, status, body } : { ok: false, status, problem: body };
        this.waiting.get(command)?.(answer);
        for (const tell of [...this.curious]) {
            tell(uuid);
        }
    }

    /** Takes Odoo's word that a command over the websocket was not passed on: {command, problem}. */
    refuse({ command, problem }) {
        this.refused.get(command)?.({ ok: false, status: problem.status, problem });
    }

    /** What was said of a transaction, once its revision is not `after` any more; null after `seconds`. */
    async _newsAfter(uuid, after, seconds) {
        let tell;
        const fresh = () => (this.news.has(uuid) && this.news.get(uuid).rev !== after ? this.news.get(uuid) : null);
        const heard = new Promise((resolve) => {
            tell = (about) => about === uuid && fresh() && resolve();
        });
        this.curious.add(tell);
        try {
            return fresh() || (await this._within(seconds, heard, null), fresh());
        } finally {
            this.curious.delete(tell);
        }
    }

    async _call(op, { uuid = null, body = null, grant = null, seconds }) {
        const command = uuidv4();
        const answer = new Promise((resolve) => this.waiting.set(command, resolve));
        const request = { driver: this.driver, command, op, uuid, body, grant };
        const quick = op === "start" && this.socketWorks && this.socket.hasRoom;
        const sent = quick ? this._sendQuickly(request, answer) : this._send(request);
        this._trySocket();
        try {
            // What Odoo says counts only where it did not send: its word and the driver's may come in any order.
            const refused = sent.then((result) => result || answer);
            return await this._within(seconds, Promise.race([answer, refused]), { ok: false, link: "timeout" });
        } finally {
            this.waiting.delete(command);
        }
    }

    /** Sends over the websocket, and as a call where that is not answered; the driver's or Odoo's word, as `_send`. */
    async _sendQuickly(request, answer) {
        const refused = new Promise((resolve) => this.refused.set(request.command, resolve));
        this.socket.send(this.grant(), request);
        const said = await this._within(CONFIRMED, Promise.race([answer, refused]), null);
        this.refused.delete(request.command);
        if (said) {
            return said;
        }
        this.socketWorks = false;
        const refusal = await this._send(request);
        // Whatever Odoo says now, the websocket may have brought it: that nothing was sent is not known.
        return refusal && { ok: false, link: refusal.link || "timeout" };
    }

    /** Finds out whether commands over the websocket are answered, beside what is under way. */
    async _trySocket() {
        const now = this.clock();
        if (this.socketWorks || now - this.triedAt < TRIAL * 1000 || !this.socket?.hasRoom) {
            return;
        }
        this.triedAt = now;
        const command = uuidv4();
        const answer = new Promise((resolve) => this.waiting.set(command, resolve));
        const trial = { driver: this.driver, command, op: "health", uuid: null, body: null, grant: null };
        this.socket.send(this.grant(), trial);
        this.socketWorks = Boolean(await this._within(CONFIRMED, answer, null));
        this.waiting.delete(command);
    }

    /** Null once Odoo has passed a command on; else why it did not, or why that is not known. */
    async _send(request) {
        try {
            const { problem } = await this.send(request);
            return problem ? { ok: false, status: problem.status, problem } : null;
        } catch (error) {
            if (error instanceof ConnectionLostError) {
                return { ok: false, link: "offline" };
            }
            if (!error.exceptionName?.startsWith("odoo.exceptions.")) {
                return { ok: false, link: "odoo_error" };
            }
            // Refused before anything was put on the bus.
            const detail = error.data?.message || "";
            return { ok: false, status: 400, problem: { code: "odoo_refused", detail, title: detail, status: 400, money: "safe" } };
        }
    }

    /** The promise's value, or `otherwise` after `seconds`. Nothing is called back: an answer is just not awaited. */
    async _within(seconds, promise, otherwise) {
        let timer;
        const late = new Promise((resolve) => {
            timer = browser.setTimeout(() => resolve(otherwise), seconds * 1000);
        });
        try {
            return await Promise.race([promise, late]);
        } finally {
            browser.clearTimeout(timer);
        }
    }
}
