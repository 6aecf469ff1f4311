import { browser } from "@web/core/browser/browser";
import { localAccess } from "./local_access";

/** Seconds of the direct road before the relay is tried beside it: an address that swallows packets says nothing. */
const HEAD_START = 1;
/** Seconds after which a till that uses the relay tries the direct road again. */
const RETRY = 60;
/** Problems of the relay's own: no driver has spoken. */
const NO_DRIVER = new Set(["not_listening", "relay_off", "odoo_refused"]);

/**
 * A driver over whichever road is open: the face of DriverClient, answered by it or by RelayClient.
 *
 * `road` is "direct", "relay" or null (none has worked yet); `why` says per road why it did not work, or null. The road
 * that worked is kept. A start goes over one road and is never repeated over the other: what became of it is asked.
 */
export class RoadClient {
    /**
     * @param {object} options
     * @param {DriverClient} options.direct
     * @param {RelayClient} options.relay
     * @param {"auto"|"direct"|"relay"} options.setting of the driver in Odoo
     */
    constructor({ direct, relay, setting }) {
        this.clients = { direct, relay };
        this.roads = setting === "auto" || !setting ? ["direct", "relay"] : [setting];
        this.road = null;
        this.why = { direct: null, relay: null };
        this.retryAt = 0;
    }

    get driver() {
        return this.clients.direct.driver;
    }

    get grant() {
        return this.clients.direct.grant;
    }

    set grant(grant) {
        this.clients.direct.grant = grant;
    }

    async health() {
        if (this.road === "relay" && this.roads.length > 1 && Date.now() > this.retryAt) {
            this.retryAt = Date.now() + RETRY * 1000;
            this._tryDirect(); // beside: it takes over once it answers
        }
        if (this.road) {
            const answer = await this._try(this.road);
            if (this._spoke(answer)) {
                return answer;
            }
        }
        return this.roads.length > 1 ? this._choose() : this._try(this.roads[0]);
    }

    start(uuid, body, oneTimeGrant) {
        return this._client.start(uuid, body, oneTimeGrant);
    }

    /** Asks over the road in use, and over the other one, at once, where nobody speaks there. */
    transaction(uuid, question = {}) {
        return this._ask(
            (client) => client.transaction(uuid, question),
            (client) => client.transaction(uuid)
        );
    }

    cancel(uuid) {
        return this._ask((client) => client.cancel(uuid));
    }

    get _client() {
        return this.clients[this.road || this.roads[0]];
    }

    async _ask(ask, askOther = ask) {
        const used = this.road || this.roads[0];
        const answer = await ask(this.clients[used]);
        const other = this.roads.find((road) => road !== used);
        if (this._spoke(answer) || !other || (other === "direct" && !(await this._mayCall()))) {
            return answer;
        }
        this.why[used] = reason(answer);
        const second = await askOther(this.clients[other]);
        if (!this._spoke(second)) {
            this.why[other] = reason(second);
            return answer;
        }
        this._use(other);
        return second;
    }

    /** The direct road where it is open, else the relay. Where none is, why the direct one is not is what counts. */
    async _choose() {
        const direct = this._tryDirect();
        const early = await Promise.race([direct, pause(HEAD_START)]);
        if (early && this._spoke(early)) {
            return early;
        }
        const relay = await this._try("relay");
        if (this._spoke(relay)) {
            this.retryAt = Date.now() + RETRY * 1000;
            return relay;
        }
        const answer = await direct;
        // Nobody has been asked yet whether this page may call the driver: the only road left is worth the question.
        return this.why.direct === "prompt" ? this._try("direct") : answer;
    }

    async _tryDirect() {
        if (!(await this._mayCall())) {
            return { ok: false, link: this.why.direct };
        }
        return this._try("direct");
    }

    /** Whether the browser lets this page call the driver's address without asking anybody. */
    async _mayCall() {
        const access = await localAccess(this.clients.direct.url);
        if (access === "free" || access === "granted") {
            return true;
        }
        this.why.direct = access;
        return false;
    }

    async _try(road) {
        const answer = await this.clients[road].health();
        if (this._spoke(answer)) {
            this._use(road);
        } else {
            this.why[road] = reason(answer);
            if (this.road === road) {
                this.road = null;
            }
        }
        return answer;
    }

    /** The direct road is the better one; the relay counts where it does not work. */
    _use(road) {
        this.why[road] = null;
        if (road === "direct" || this.road !== "direct" || this.why.direct) {
            this.road = road;
        }
    }

    /** Whether the driver itself has answered, be it with a refusal. */
    _spoke({ ok, problem }) {
        return ok || Boolean(problem && !NO_DRIVER.has(problem.code));
    }
}

function reason({ link, problem }) {
    return link || problem.code;
}

function pause(seconds) {
    return new Promise((resolve) => browser.setTimeout(() => resolve(null), seconds * 1000));
}
