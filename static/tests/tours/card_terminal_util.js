/** Steps that the tours of card payments share. */

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

