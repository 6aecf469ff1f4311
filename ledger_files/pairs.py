"""An entry of any number of lines as postings of two accounts each, as DATEV wants them."""

from collections.abc import Hashable, Sequence


def pair(lines: Sequence[tuple[Hashable, int]]) -> list[tuple[Hashable, Hashable, int]]:
    """Return [(debited, credited, amount > 0)] of a balanced entry [(line, minor units; positive is debit)].

    Equal amounts meet first; then the rest in the order of the entry. What each line moves stays what it moved.
    """
    if sum(minor for _line, minor in lines):
        raise ValueError("an entry that does not balance has no pairs")
    debits = [[line, minor] for line, minor in lines if minor > 0]
    credits_ = [[line, -minor] for line, minor in lines if minor < 0]
    found = []
    for debit in debits:
        equal = next((credit for credit in credits_ if credit[1] == debit[1]), None)
        if equal:
            found.append((debit[0], equal[0], debit[1]))
            debit[1] = equal[1] = 0
    for debit in debits:
        for credit in credits_:
            amount = min(debit[1], credit[1])
            if amount:
                found.append((debit[0], credit[0], amount))
                debit[1] -= amount
                credit[1] -= amount
    return found
