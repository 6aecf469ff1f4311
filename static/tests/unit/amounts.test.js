import { describe, expect, test } from "@odoo/hoot";
import { majorUnits, minorUnits } from "@pos_card_terminal/app/utils/amounts";

describe.current.tags("headless");

test("floats of the POS become exact minor units", () => {
    const cases = [
        [0.01, 2, 1],
        [0.07, 2, 7],
        [1.1, 2, 110],
        [4.35, 2, 435], // 434.99999999999994 in floats
        [1.005 + 1.995, 2, 300],
        [0.1 + 0.2, 2, 30],
        [8.2 - 0.2, 2, 800],
        [-19.99, 2, -1999],
        [1234567.89, 2, 123456789],
        [500, 0, 500],
        [1.234, 3, 1234],
    ];
    for (const [amount, decimals, minor] of cases) {
        expect(minorUnits(amount, decimals)).toBe(minor);
        expect(majorUnits(minor, decimals)).toBe(Number(amount.toFixed(decimals)));
    }
});

test("every cent up to a hundred euros survives the way there and back", () => {
    const lost = [];
    for (let minor = 0; minor <= 10000; minor++) {
        if (minorUnits(majorUnits(minor, 2), 2) !== minor) {
            lost.push(minor);
        }
    }
    expect(lost).toEqual([]);
});

test("what is no whole number of minor units is refused", () => {
    for (const amount of [1.005, 0.001, NaN, Infinity, 2 ** 60]) {
        expect(() => minorUnits(amount, 2)).toThrow(RangeError);
    }
});
