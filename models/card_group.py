"""Groups of cards: terminals sum their day up by a few of them, and name the cards themselves in many more ways."""

#: Names of cards and of groups that mean one family, in small letters. Which family a terminal counts a card in differs
#: (Maestro above all): a difference that only this table makes is for a person to see, nothing is booked by it.
FAMILIES = {
    **dict.fromkeys(("girocard", "ec", "ec-cash", "electronic cash"), "girocard"),
    **dict.fromkeys(("mastercard", "eurocard", "eurocard/mastercard", "debit mastercard"), "mastercard"),
    **dict.fromkeys(("mastercard debit", "maestro"), "mastercard"),
    **dict.fromkeys(("visa", "visa debit", "visa electron", "v pay", "vpay"), "visa"),
    **dict.fromkeys(("american express", "amex"), "amex"),
    **dict.fromkeys(("diners", "diners club", "discover"), "diners"),
}
#: What a terminal calls the group of all that it names no other for.
OTHERS = frozenset({"others", "other", "übrige", "andere", "sonstige", "autres"})


def group_of(brand, groups):
    """Return the name among `groups` that a terminal counts this brand under; the brand itself where none fits."""
    said = (brand or "").strip().casefold()
    by_name = {name.strip().casefold(): name for name in groups if name}
    if said in by_name:
        return by_name[said]
    family = FAMILIES.get(said)
    alike = [name for key, name in by_name.items() if family and FAMILIES.get(key) == family]
    others = [name for key, name in by_name.items() if key in OTHERS]
    return next(iter(alike or others), brand or "")
