"""Money as whole minor units: amounts are added up as integers, and become floats only for Odoo's fields."""

from decimal import ROUND_HALF_UP, Decimal


def to_minor(amount, currency):
    """Return an amount in minor units of the currency. The float is what Odoo keeps; it goes no further."""
    digits = Decimal(repr(amount)).scaleb(currency.decimal_places)
    return int(digits.to_integral_value(ROUND_HALF_UP))


def from_minor(minor, currency):
    """Return minor units as the amount that Odoo keeps."""
    return float(Decimal(minor).scaleb(-currency.decimal_places))


def total(amounts, currency):
    """Return the sum of amounts of one currency, exact to the minor unit."""
    return from_minor(sum(to_minor(amount, currency) for amount in amounts), currency)
