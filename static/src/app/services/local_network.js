import { browser } from "@web/core/browser/browser";
import { makeAwaitable } from "@point_of_sale/app/utils/make_awaitable_dialog";
import { LocalAccessDialog } from "../components/local_access_dialog/local_access_dialog";
import { addressSpace, localAccess, placeOf } from "../utils/local_access";

const REMEMBERED = "card_terminal.reached_directly";
/** Seconds for an answer, the user's to the browser's question included. */
const PATIENCE = 30;
/** Past the cache of the POS's service worker (utils/driver_client.js). */
const PROBE = "/v1/health#hw_proxy/hello";

/** Asks the user for the browser's permission to call a driver: beforehand, with the reason, and once. */
export class LocalNetwork {
    constructor(pos) {
        this.pos = pos;
        this.asked = new Set();
    }

    /** Before a driver is called: explains what the browser will ask, where it will. Never rejects. */
    async explain(url, { again = false } = {}) {
        const done = this.asked.has(url) || browser.localStorage.getItem(REMEMBERED) === url;
        if ((done && !again) || (await localAccess(url)) !== "prompt") {
            return;
        }
        this.asked.add(url);
        await makeAwaitable(this.pos.dialog, LocalAccessDialog, {
            url,
            onThisMachine: placeOf(url) === "loopback",
            ask: async () => (await this.reaches(url)) || (await localAccess(url)) === "granted",
        });
    }

    /** Whether anything answers at an address, be it the driver or not. The browser asks the user meanwhile. */
    async reaches(url, seconds = PATIENCE) {
        try {
            const signal = AbortSignal.timeout(seconds * 1000);
            const options = { mode: "no-cors", cache: "no-store", credentials: "omit", signal, ...addressSpace(url) };
            await browser.fetch(url.replace(/\/+$/, "") + PROBE, options);
            browser.localStorage.setItem(REMEMBERED, url);
            return true;
        } catch {
            return false;
        }
    }
}
