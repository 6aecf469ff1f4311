/**
 * Money between the POS, which has floats, and the driver, which has integers of minor units.
 */

/** Half a thousandth of a minor unit: what a float may be off after the POS has rounded it to the currency. */
const SLACK = 0.0005;

/**
 * @param {number} amount in the currency's major unit, either sign
 * @param {number} decimals the currency's decimal places
 * @returns {number} the same amount in minor units, an exact integer of the same sign
 * @throws {RangeError} when the amount is not a whole number of minor units
 */
export function minorUnits(amount, decimals) {
    const exact = amount * 10 ** decimals;
    const minor = Math.round(exact);
    if (!Number.isSafeInteger(minor) || Math.abs(exact - minor) > SLACK) {
        throw new RangeError(`${amount} is not a whole number of minor units`);
    }
    return minor === 0 ? 0 : minor;
}

/**
 * @param {number} minor an integer of minor units
 * @param {number} decimals the currency's decimal places
 * @returns {number} the nearest float, as the POS keeps amounts
 */
export function majorUnits(minor, decimals) {
    return Number((minor / 10 ** decimals).toFixed(decimals));
}
