import { destroy, expect, test } from "@odoo/hoot";
import { click } from "@odoo/hoot-dom";
import { animationFrame, Deferred } from "@odoo/hoot-mock";
import { allowTranslations, mountWithCleanup } from "@web/../tests/web_test_helpers";
import { CardProgress } from "@pos_card_terminal/backend/card_progress/card_progress";

/** Mount the dialog over three parts; each part waits for `answer(index, value or error)`. */
async function progress(stop = "action_stop_posting") {
    allowTranslations();
    const calls = [];
    const answers = [new Deferred(), new Deferred(), new Deferred(), new Deferred()];
    const call = (model, method, [ids]) => {
        calls.push([method, ids]);
        return method === "post_some" ? answers[calls.length - 1] : Promise.resolve(true);
    };
    const services = {
        orm: { call, silent: { call } },
        action: { doAction: async (action) => calls.push([action.type]) },
        notification: { add: (text) => calls.push([String(text)]) },
    };
    const texts = { done: "Posted: %s", closed: "The rest is posted later." };
    const params = { model: "card.match", method: "post_some", parts: [[1, 2], [3, 4], [5]], stop, ...texts };
    const action = { params: { ...params, next: { type: "reload" } } };
    const dialog = await mountWithCleanup(CardProgress, {
        env: { services }, // the point of sale's own services cannot start here
        noMainContainer: true,
        props: { action, actionId: 1, className: "" },
    });
    const answer = async (index, value) => {
        value instanceof Error ? answers[index].reject(value) : answers[index].resolve(value);
        await animationFrame();
    };
    return { calls, answer, dialog };
}

test("parts are done one after the other, and what was refused is told", async () => {
    const { calls, answer } = await progress();
    expect(".o_card_progress_count").toHaveText("0 / 5");
    await answer(0, { refused: 0 });
    expect(".o_card_progress_count").toHaveText("2 / 5");
    expect(".progress").toHaveAttribute("aria-valuenow", "40");
    await answer(1, { refused: 1 });
    await answer(2, { refused: 0 });
    expect(calls).toEqual([
        ["post_some", [1, 2]],
        ["post_some", [3, 4]],
        ["post_some", [5]],
        ["Posted: 4"],
        ["1 could not be posted: each says why."],
        ["ir.actions.act_window_close"],
        ["reload"],
    ]);
});

test("stopped, the rest is handed back at once and the part that was begun is finished", async () => {
    const { calls, answer } = await progress();
    await click(".o_card_progress_stop");
    await answer(0, { refused: 0 });
    expect(calls).toEqual([
        ["post_some", [1, 2]],
        ["action_stop_posting", [3, 4, 5]],
        ["Posted: 2"],
        ["ir.actions.act_window_close"],
        ["reload"],
    ]);
});

test("a part that fails while it is stopped is handed back as well", async () => {
    const { calls, answer } = await progress();
    await click(".o_card_progress_stop");
    await answer(0, new Error("gone"));
    await click(".o_card_progress_stop");
    await animationFrame();
    expect(calls).toEqual([
        ["post_some", [1, 2]],
        ["action_stop_posting", [3, 4, 5]],
        ["action_stop_posting", [1, 2]],
        ["ir.actions.act_window_close"],
        ["reload"],
    ]);
});

test("closed before the end, it says what becomes of the rest and begins no other part", async () => {
    const { calls, answer, dialog } = await progress();
    destroy(dialog);
    await answer(0, { refused: 0 });
    expect(calls).toEqual([["post_some", [1, 2]], ["The rest is posted later."]]);
});

test("after a failure the same part is tried again", async () => {
    const { calls, answer } = await progress();
    await answer(0, new Error("gone"));
    expect(".alert-danger").toHaveText("Odoo cannot be reached.");
    await click(".o_card_progress_again");
    await answer(1, { refused: 0 });
    expect(".o_card_progress_count").toHaveText("2 / 5");
    expect(calls).toEqual([["post_some", [1, 2]], ["post_some", [1, 2]], ["post_some", [3, 4]]]);
});
