import { browser } from "@web/core/browser/browser";
import { markRaw } from "@odoo/owl";
import { DriverClient } from "../utils/driver_client";
import { RelayClient } from "../utils/relay_client";
import { RelaySocket } from "../utils/relay_socket";
import { RoadClient } from "../utils/road_client";

/** How Odoo refuses what it will allow once the driver has told it what this till knows already. */
const NOT_HEARD_YET = "odoo.addons.pos_card_terminal.models.card_terminal_grant.NotHeardYet";
const QUESTIONS = 10;
const PAUSE = 500;

/**
 * The terminals of this till: which one is used, and how its driver is reached.
 *
 * The default comes from the point of sale's settings; another choice holds for the session, on this till.
 */
export class CardTerminals {
    constructor(pos) {
        this.pos = pos;
        this.clients = markRaw(new Map());
        this.chosenUuid = null;
        this.socket = null;
    }

    /** Every terminal of this till, the default first. */
    get all() {
        const standard = this.pos.config.card_terminal_id?.id;
        return this.pos.models["card.terminal"]
            .getAll()
            .slice()
            .sort((a, b) => (b.id === standard) - (a.id === standard) || a.name.localeCompare(b.name));
    }

    /** The terminal that the next payment goes to; undefined where none is set up. */
    get current() {
        const uuid = this.chosenUuid ?? browser.localStorage.getItem(this._choiceKey);
        return this.all.find((terminal) => terminal.uuid === uuid) || this.all[0];
    }

    /** The terminal of this till that a payment line names; undefined where it is not one of this till's any more. */
    find(record) {
        return this.all.find((terminal) => terminal.id === record?.id);
    }

    /** Whether a terminal can do this, as its protocol and options say. */
    can(terminal, { kind = "sale", means = "card" } = {}) {
        return Boolean(terminal?.kinds?.includes(kind) && (terminal.means || ["card"]).includes(means));
    }

    /** The terminal that this goes to: the current one where it can, else the first that can; undefined where none. */
    for(wanted) {
        const able = this.all.filter((terminal) => this.can(terminal, wanted));
        return able.find((terminal) => terminal.id === this.current.id) || able[0];
    }

    choose(terminal) {
        this.chosenUuid = terminal.uuid;
        browser.localStorage.setItem(this._choiceKey, terminal.uuid);
    }

    /** Which driver has each terminal now: a reloaded page has what this browser kept of the session. Never rejects. */
    async refresh() {
        const ids = this.all.map((terminal) => terminal.id);
        if (ids.length && !this.pos.data.network.offline) {
            try {
                await this.pos.data.read("card.terminal", ids);
            } catch (error) {
                console.warn("card terminals: Odoo does not say which drivers they have", error);
            }
        }
    }

    /** The client of a driver, by the driver's id; undefined where this till does not know it. */
    client(driverUuid) {
        if (!this.clients.has(driverUuid)) {
            const driver = this.pos.models["card.terminal.driver"].find((d) => d.uuid === driverUuid);
            if (!driver) {
                return undefined;
            }
            this._listen();
            const direct = new DriverClient({
                url: driver.url,
                driver: driver.uuid,
                grant: driver.grant || "",
                renew: () => this._renew(driver),
            });
            const send = (request) => this.rpc("card_terminal_relay", request);
            const grant = () => direct.grant;
            const relay = new RelayClient({ driver: driver.uuid, send, socket: this.socket, grant });
            this.clients.set(driverUuid, new RoadClient({ direct, relay, setting: driver.road }));
        }
        return this.clients.get(driverUuid);
    }

    /** Calls a method of pos.session (the addon's RPCs); rejects as Odoo's calls do. */
    rpc(method, ...args) {
        return this.pos.data.call("pos.session", method, [[this.pos.session.id], ...args]);
    }

    /** Odoo's one-time grant {grant, original}; the driver may tell a till of an approval a moment before Odoo. */
    async permission(request) {
        for (let asked = 1; ; asked++) {
            try {
                return await this.rpc("card_terminal_refund_grant", request);
            } catch (error) {
                if (error.data?.name !== NOT_HEARD_YET || asked === QUESTIONS) {
                    throw error;
                }
            }
            await new Promise((resolve) => browser.setTimeout(resolve, PAUSE));
        }
    }

    /** Hears what drivers answer through Odoo. */
    _listen() {
        if (!this.clients.size) {
            this.pos.data.connectWebSocket("CARD_TERMINAL_RELAY", (message) => {
                for (const client of this.clients.values()) {
                    client.clients.relay.hear(message);
                }
            });
            this.socket = markRaw(new RelaySocket({ bus: this.pos.data.bus }));
            this.pos.data.bus.subscribe("CARD_TERMINAL_NOT_SENT", (message) => {
                for (const client of this.clients.values()) {
                    client.clients.relay.refuse(message);
                }
            });
        }
    }

    async _renew(driver) {
        try {
            const grants = await this.rpc("card_terminal_grants");
            for (const { driver: uuid, grant } of grants) {
                const known = this.pos.models["card.terminal.driver"].find((d) => d.uuid === uuid);
                known?.update({ grant });
            }
            return grants.find((grant) => grant.driver === driver.uuid)?.grant || false;
        } catch {
            return false; // the driver's refusal stands, and is what the cashier is told
        }
    }

    get _choiceKey() {
        return `card_terminal.${this.pos.config.id}.${this.pos.session.id}`;
    }
}
