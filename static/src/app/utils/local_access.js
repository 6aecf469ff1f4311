import { browser } from "@web/core/browser/browser";

/**
 * Local network access: what a browser demands before a page may call an address in the shop's network or on the till
 * itself. Chromium 142 and newer ask the user once per site, for pages that come from the internet; 145 split the
 * permission in two. Other browsers that know the names of the permissions are treated alike.
 * (Permissions: wicg.github.io/local-network-access; seen in Chromium 156: a page from a private address is not asked.)
 */
const PERMISSIONS = {
    loopback: ["loopback-network", "local-network-access"],
    local: ["local-network", "local-network-access"],
};

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;
const LOCAL = /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[f[cd]|\[fe[89ab])|\.local$|^[^.:]+$/;

/** @returns {"loopback"|"local"|"public"} where an address is, as far as its name says */
export function placeOf(url) {
    const { hostname } = new URL(url);
    return LOOPBACK.test(hostname) ? "loopback" : LOCAL.test(hostname) ? "local" : "public";
}

/** Which of the permissions for a place this browser knows; undefined where it knows none. */
async function permission(place) {
    for (const name of PERMISSIONS[place] || []) {
        try {
            return await browser.navigator.permissions.query({ name });
        } catch {
            continue; // an older browser, or another one
        }
    }
    return undefined;
}

/** WebKit (Safari, and every browser on an iPad) takes plain HTTP for insecure even on the machine itself. */
function isWebKit() {
    const agent = browser.navigator.userAgent;
    return agent.includes("AppleWebKit") && !/Chrome\/|Android/.test(agent);
}

function isInsecureCall(url) {
    return browser.location.protocol === "https:" && url.startsWith("http:");
}

/**
 * Whether this page may call an address directly.
 * @returns {Promise<"free"|"granted"|"prompt"|"denied"|"mixed_content">} free: the browser asks nothing;
 *   mixed_content: it will not let a secure page call this plain address, whatever the user says
 */
export async function localAccess(url) {
    const place = placeOf(url);
    const asked = place === "public" ? undefined : await permission(place);
    const trusted = asked || (place === "loopback" && !isWebKit());
    if (isInsecureCall(url) && !trusted) {
        return "mixed_content";
    }
    if (!asked || (asked.state !== "granted" && placeOf(browser.location.href) !== "public")) {
        return "free";
    }
    return asked.state;
}

/** Whether this browser knows permissions for the local network; asked when the page loads. */
let isGuarded = false;
permission("local").then((asked) => (isGuarded = Boolean(asked)));

/**
 * What a fetch must say of its target: a secure page may call a plain address of the shop's network only if it says
 * that it is one. The till itself needs no word, and a wrong word fails the call.
 */
export function addressSpace(url) {
    const needed = isInsecureCall(url) && placeOf(url) !== "loopback" && (isGuarded || odoo.use_lna);
    return needed ? { targetAddressSpace: "local" } : {};
}
