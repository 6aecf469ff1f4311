/** Steps that the tours of card payments share. */

import * as Chrome from "@point_of_sale/../tests/pos/tours/utils/chrome_util";
import * as Dialog from "@point_of_sale/../tests/generic_helpers/dialog_util";
import { registry } from "@web/core/registry";

/** Milliseconds that a step is waited for: what it waits for takes its time on a busy machine. The most Odoo allows. */
const PATIENCE = 60000;

/** Registers a tour that begins with the register open. */
export function tour(name, ...steps) {
    const all = () => [Chrome.startPoS(), Dialog.confirm("Open Register"), ...steps].flat(3);
    registry.category("web_tour.tours").add(name, { steps: () => all().map((step) => ({ timeout: PATIENCE, ...step })) });
}

/** What a person in the shop does: `shop("counter/card/contactless")`, `shop("driver/stop")` (tests/common_tour.py). */
export function shop(what) {
    return {
        content: `in the shop: ${what}`,
        trigger: "body",
        run: async () => {
            // past the POS's service worker, whose requests the test does not see
            const answer = await fetch(`http://shop.test/${what}#hw_proxy/hello`);
            if (!answer.ok) {
                throw new Error(`${what}: ${answer.status}`);
            }
        },
    };
}

/** The payment line shows this state, and these words of it. */
export function lineIs(state, words = "") {
    return {
        content: `the card line is ${state}: ${words}`,
        trigger: `.card-terminal-line[data-state="${state}"]${words ? `:contains("${words}")` : ""}`,
    };
}

export function click(selector) {
    return { content: `click ${selector}`, trigger: selector, run: "click" };
}

export function isThere(selector) {
    return { content: `there is ${selector}`, trigger: selector };
}

export function isNotThere(selector) {
    return { content: `there is no ${selector}`, trigger: `body:not(:has(${selector}))` };
}

/** A card is presented once the terminal asks for one. */
export function presentCard(terminal = "counter", card = "contactless") {
    return [lineIs("sent", "Waiting for the customer"), shop(`${terminal}/card/${card}`)];
}

