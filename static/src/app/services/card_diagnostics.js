import { browser } from "@web/core/browser/browser";
import { addressSpace, localAccess } from "../utils/local_access";
import { findings, openRoad } from "../utils/card_checks";

/** Past the cache of the POS's service worker (utils/driver_client.js). */
const FRESH = "#hw_proxy/hello";
/** Seconds for one answer. */
const PATIENCE = 5;

/** Finds out, for the diagnostics page, which road to each terminal is open and why another is not. */
export class CardDiagnostics {
    constructor(pos, terminals, network) {
        this.pos = pos;
        this.terminals = terminals;
        this.network = network;
    }

    /** Asks everybody once; a driver with several terminals is asked once for all. @returns facts by terminal */
    async test() {
        const drivers = new Map();
        const ask = (driver) => {
            if (!drivers.has(driver.uuid)) {
                drivers.set(driver.uuid, this._driver(driver));
            }
            return drivers.get(driver.uuid);
        };
        return Promise.all(
            this.terminals.all.map(async (terminal) => {
                const driver = await ask(terminal.driver_id);
                return { ...driver, terminal, told: driver.told?.find((each) => each.id === terminal.uuid) };
            })
        );
    }

    async _driver(driver) {
        const url = driver.url.replace(/\/+$/, "");
        const client = this.terminals.client(driver.uuid);
        const access = await localAccess(url);
        // A page that has not been allowed yet must not make the browser ask by itself.
        const reached = access !== "prompt" && access !== "mixed_content" && (await this.network.reaches(url, PATIENCE));
        const direct = reached ? await this._get(client, url, "/v1/health") : { ok: false, link: "unreachable" };
        const answer = reached && direct.ok ? direct : await client.health();
        const told = direct.ok ? await this._get(client, url, "/v1/terminals") : {};
        return {
            url,
            driver: driver.uuid,
            access,
            reached,
            direct,
            road: client.road ?? null,
            why: client.why,
            online: !this.pos.data.network.offline,
            health: answer.ok ? answer.body : null,
            told: told.body?.terminals,
        };
    }

    /** One question over the direct road, answered as DriverClient answers. */
    async _get(client, url, path) {
        try {
            const response = await browser.fetch(url + path + FRESH, {
                headers: { Authorization: `Bearer ${client.grant}` },
                cache: "no-store",
                credentials: "omit",
                redirect: "error",
                signal: AbortSignal.timeout(PATIENCE * 1000),
                ...addressSpace(url),
            });
            const body = await response.json();
            if (response.ok) {
                return { ok: true, body };
            }
            return body.code ? { ok: false, problem: body } : { ok: false, link: "other_server" };
        } catch (error) {
            return { ok: false, link: { TimeoutError: "timeout", SyntaxError: "other_server" }[error.name] || "unreachable" };
        }
    }

    /** What support needs to know, without keys, grants or card data. */
    report(all, when) {
        const { config, session, data } = this.pos;
        const head = [
            `Card terminals, ${new Date().toISOString()}`,
            `Till: ${config.name}, session ${session.name}, Odoo ${browser.location.origin} ${data.network.offline ? "not reached" : "reached"}`,
            `Browser: ${browser.navigator.userAgent}`,
            `Open card payments: ${this.pos.models["pos.payment"].filter((line) => line.cardIsOpen).length}`,
        ];
        const each = (facts) => [
            "",
            `Terminal ${facts.terminal.name} (${facts.terminal.protocol}, ${facts.terminal.uuid})`,
            `  driver ${facts.driver} at ${facts.url}; browser: ${facts.access}; road: ${openRoad(facts) || "none"}`,
            ...(facts.health
                ? [
                      `  version ${facts.health.version}, ${facts.health.status}, journal ${facts.health.journal_id}, ` +
                          `events ${facts.health.odoo?.acked ?? "-"}/${facts.health.last}`,
                  ]
                : []),
            ...findings(facts, when).map(({ part, level, code, text }) => `  ${part}: ${level} ${code}: ${text}`),
        ];
        return [...head, ...all.flatMap(each)].join("\n");
    }
}
