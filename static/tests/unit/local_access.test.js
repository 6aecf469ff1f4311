import { describe, expect, test } from "@odoo/hoot";
import { patchWithCleanup } from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { localAccess, placeOf } from "@pos_card_terminal/app/utils/local_access";

describe.current.tags("headless");

const CHROMIUM = "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const IPAD = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/156 Safari";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** A browser on a page: `states` of the permissions it knows, by their names. */
function on(href, userAgent, states = {}) {
    const { protocol } = new URL(href);
    const permissions = {
        query: async ({ name }) => {
            if (!(name in states)) {
                throw new TypeError(`${name} is not a permission`);
            }
            return { state: states[name] };
        },
    };
    patchWithCleanup(browser, { location: { href, protocol }, navigator: { userAgent, permissions } });
}

test("where an address is", () => {
    const places = {
        loopback: ["http://127.0.0.1:8765", "http://localhost:8765", "http://[::1]:8765", "http://till.localhost"],
        local: ["http://192.168.1.9", "http://10.0.0.2", "http://172.20.1.1", "http://till.local", "http://till3", "http://[fd00::1]"],
        public: ["https://shop.example.com", "http://172.32.0.1", "http://127.example.com", "http://8.8.8.8"],
    };
    for (const [place, addresses] of Object.entries(places)) {
        expect(addresses.map(placeOf)).toEqual(addresses.map(() => place));
    }
});

test("a page from the internet needs the user's permission, whichever name it has", async () => {
    for (const name of ["loopback-network", "local-network-access"]) {
        for (const state of ["granted", "prompt", "denied"]) {
            on("https://shop.example.com/pos/ui/1", CHROMIUM, { [name]: state });
            expect(await localAccess("http://127.0.0.1:8765")).toBe(state);
        }
    }
});

test("each place has a permission of its own", async () => {
    on("https://shop.example.com/", CHROMIUM, { "loopback-network": "granted", "local-network": "denied" });
    expect(await localAccess("http://127.0.0.1:8765")).toBe("granted");
    expect(await localAccess("http://192.168.1.9:8765")).toBe("denied");
    expect(await localAccess("https://driver.example.com")).toBe("free");
});

test("a page from the shop's own network is asked nothing", async () => {
    on("http://192.168.1.2:8069/", CHROMIUM, { "loopback-network": "prompt" });
    expect(await localAccess("http://127.0.0.1:8765")).toBe("free");
});

test("browsers without the permissions: what a secure page may call there", async () => {
    on("https://shop.example.com/", FIREFOX);
    expect(await localAccess("http://127.0.0.1:8765")).toBe("free");
    expect(await localAccess("http://192.168.1.9:8765")).toBe("mixed_content");
    expect(await localAccess("https://192.168.1.9:8765")).toBe("free");
    on("https://shop.example.com/", IPAD);
    expect(await localAccess("http://127.0.0.1:8765")).toBe("mixed_content");
    on("http://shop.example.com/", IPAD);
    expect(await localAccess("http://127.0.0.1:8765")).toBe("free");
});
