import { browser } from "@web/core/browser/browser";
import { addressSpace } from "./local_access";

/**
 * The POS's service worker keeps every GET in its cache and answers from there when the network does not: a stopped
 * driver would seem to run, with the words of an hour ago. It lets addresses alone that contain this; a fragment
 * stays in the browser.
 */
const PAST_THE_CACHE = "#hw_proxy/hello";

/**
 * The driver's HTTP API (docs/api.md 1) as one till sees it.
 *
 * Nothing here throws: an answer is `{ok: true, status, body}`, `{ok: false, status, problem}` when the driver
 * refused, or `{ok: false, link: reason}` when it is not known whether it heard (not reachable, timed out, or
 * somebody else answered).
 */
export class DriverClient {
    /**
     * @param {object} options
     * @param {string} options.url where the browser reaches the driver
     * @param {string} options.driver id of the driver that must answer there
     * @param {string} options.grant session grant
     * @param {() => Promise<string|false>} options.renew fetches a fresh grant from Odoo
     */
    constructor({ url, driver, grant, renew }) {
        this.url = url.replace(/\/+$/, "");
        this.driver = driver;
        this.grant = grant;
        this.renew = renew;
    }

    async health() {
        const answer = await this._call("GET", "/v1/health", { seconds: 4 });
        if (answer.ok && answer.body.driver !== this.driver) {
            return { ok: false, link: "other_driver" };
        }
        return answer;
    }

    /** Starts a transaction. Sent once: a lost answer is for `transaction` to clear up. */
    start(uuid, body, oneTimeGrant) {
        const headers = oneTimeGrant ? { "X-Card-Terminal-Grant": oneTimeGrant } : {};
        return this._call("PUT", `/v1/transactions/${uuid}`, { body, headers, seconds: 15 });
    }

    /** What became of it; with `after`, once its revision is another one or `wait` seconds have passed. */
    transaction(uuid, { after = null, wait = 0 } = {}) {
        const query = after === null ? "" : `?after=${after}&wait=${wait}`;
        return this._call("GET", `/v1/transactions/${uuid}${query}`, { seconds: wait + 8 });
    }

    cancel(uuid) {
        return this._call("POST", `/v1/transactions/${uuid}/cancel`, { body: {}, seconds: 30 });
    }

    async _call(method, path, options) {
        const answer = await this._send(method, path, options);
        if (answer.status !== 401) {
            return answer;
        }
        // A 401 was refused at the door and left nothing behind: asking again with a fresh grant is safe.
        const grant = await this.renew();
        if (!grant || grant === this.grant) {
            return answer;
        }
        this.grant = grant;
        return this._send(method, path, options);
    }

    async _send(method, path, { body, headers = {}, seconds }) {
        const options = {
            method,
            headers: { Authorization: `Bearer ${this.grant}`, ...headers },
            cache: "no-store",
            credentials: "omit",
            redirect: "error",
            ...this._addressSpace(),
        };
        if (body !== undefined) {
            options.headers["Content-Type"] = "application/json";
            options.body = JSON.stringify(body);
        }
        let timer;
        try {
            // Raced, not aborted: a request that may have left is not called back, its answer is just not awaited.
            const late = new Promise((_, reject) => {
                timer = browser.setTimeout(() => reject(new Error("timeout")), seconds * 1000);
            });
            return await Promise.race([this._fetch(path, options), late]);
        } catch (error) {
            return { ok: false, link: error.message === "timeout" ? "timeout" : "unreachable" };
        } finally {
            browser.clearTimeout(timer);
        }
    }

    async _fetch(path, options) {
        const response = await browser.fetch(this.url + path + PAST_THE_CACHE, options);
        const body = await response.json();
        if (response.ok) {
            return { ok: true, status: response.status, body };
        }
        if (!body.code) {
            return { ok: false, link: "other_server" };
        }
        return { ok: false, status: response.status, problem: body };
    }

    _addressSpace() {
        return addressSpace(this.url);
    }
}
