import { browser } from "@web/core/browser/browser";

/** Pauses that end early when somebody has reason to go on: the network is back, the page is looked at again. */
export class Waker {
    constructor() {
        this.sleepers = new Set();
    }

    /** Resolves after some seconds, or at the next `wake`. */
    sleep(seconds) {
        return new Promise((resolve) => {
            const done = () => {
                browser.clearTimeout(timer);
                this.sleepers.delete(done);
                resolve();
            };
            const timer = browser.setTimeout(done, seconds * 1000);
            this.sleepers.add(done);
        });
    }

    /** An answer, or undefined when there is reason to ask anew instead of waiting for it. */
    async unlessWoken(promise) {
        let done;
        const woken = new Promise((resolve) => {
            done = () => resolve(undefined);
            this.sleepers.add(done);
        });
        try {
            return await Promise.race([promise, woken]);
        } finally {
            this.sleepers.delete(done);
        }
    }

    wake() {
        [...this.sleepers].forEach((done) => done());
    }
}
