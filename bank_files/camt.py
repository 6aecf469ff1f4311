"""ISO 20022 camt.052, .053 and .054, every version: read by local names, since only the namespace differs.

One `Ntry` is one line. `TxDtls` are evidence of what it is made of, not lines (a card batch is one credit).
Source: ISO 20022 message definitions camt.053.001.02 to .08, `Ntry` and `NtryDtls`.
"""

from datetime import date

from lxml import etree
from odoo.tools import LazyTranslate

from .statement import BankFileError, Charge, Detail, Line, Statement, check_balance, minor

_lt = LazyTranslate(__name__)

#: Root of the message -> element of an account in it, and whether it only tells of lines that another file books.
MESSAGES = {"BkToCstmrStmt": ("Stmt", False), "BkToCstmrDbtCdtNtfctn": ("Ntfctn", True)}
#: Balances by code: where several are there (pages of one day), the first opening and the last closing count.
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
SIGN = {"CRDT": 1, "DBIT": -1}


def read(content: bytes) -> list[Statement]:
    """Return the statements of a file; `BankFileError` where it is damaged or not of this kind."""
    root = _tree(content)
    for message, (account, evidence) in MESSAGES.items():
        if (found := _first(root, message)) is not None:
            return [check_balance(_statement(element, evidence)) for element in _all(found, account)]
    raise BankFileError(_lt("This XML file is neither a bank statement (camt.053) nor a notification (camt.054)."))


def _tree(content):
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BankFileError(_lt("The file is damaged: %(why)s", why=error)) from error
    if root.getroottree().docinfo.doctype:
        raise BankFileError(_lt("The file defines its own abbreviations (DOCTYPE). No bank does; it is not read."))
    return root


def _statement(element, evidence):
    account = _first(element, "Acct")
    number = _text(account, "Id/IBAN") or _text(account, "Id/Othr/Id")
    if not number:
        raise BankFileError(_lt("A statement in the file does not say which account it is for."))
    entries = _all(element, "Ntry")
    currency = _text(account, "Ccy") or next((_first(entry, "Amt").get("Ccy", "") for entry in entries), "")
    lines, warnings = [], []
    for place, entry in enumerate(entries, 1):
        if _booked(entry):
            lines.append(_line(entry, place, currency, warnings))
    return Statement(
        account=number.replace(" ", ""),
        currency=currency,
        lines=tuple(lines),
        name=_text(element, "Id"),
        opening=_balance(element, OPENING, currency, first=True),
        closing=_balance(element, CLOSING, currency, first=False),
        evidence=evidence,
        warnings=tuple(warnings),
    )


def _booked(entry):
    """Tell whether an entry is booked (BOOK), not pending or informative; up to .06 the code stands in Sts itself."""
    return (_text(entry, "Sts/Cd") or _text(entry, "Sts") or "BOOK") == "BOOK"


def _line(entry, place, currency, warnings):
    amount = _signed(entry, place, currency)
    details = tuple(_details(entry, place, currency, amount))
    batch = _first(entry, "NtryDtls/Btch")
    count = int(said) if (said := _text(batch, "NbOfTxs")).isdecimal() else None
    if details and sum(detail.amount for detail in details) != amount:
        warnings.append(_lt("Line %(place)s: its transactions do not add up to its amount.", place=place))
    if len(details) > 1 and count not in (None, len(details)):
        said = _lt(
            "Line %(place)s: %(said)s transactions announced, %(found)s there.",
            place=place,
            said=count,
            found=len(details),
        )
        warnings.append(said)
    booked = _date(entry, "BookgDt", place) or _date(entry, "ValDt", place)
    if booked is None:
        raise BankFileError(_lt("Line %(place)s has no date.", place=place))
    charges = tuple(_charges(entry, place, currency))
    gross = foreign = None
    if (told := _first(entry, "AmtDtls/TxAmt/Amt")) is not None:
        told_in = told.get("Ccy", currency)
        told_amount = SIGN[_text(entry, "CdtDbtInd")] * minor(told.text or "", told_in, place)
        if told_in == currency:
            gross = told_amount
        elif not charges:  # else what was kept is in it, in another currency
            foreign = (told_in, told_amount)
    texts = [_text(batch, "PmtInfId"), _text(entry, "AddtlNtryInf"), *(detail.text for detail in details)]
    return Line(
        amount=amount,
        booked=booked,
        valued=_date(entry, "ValDt", place),
        label=" ".join(dict.fromkeys(text for text in texts if text)) or _text(entry, "NtryRef"),
        place=place,
        reference=_text(entry, "AcctSvcrRef"),
        code="/".join(
            filter(None, (_text(entry, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")))
        )
        or _text(entry, "BkTxCd/Prtry/Cd"),
        reversal=_text(entry, "RvslInd") in ("true", "1"),
        gross=gross,
        foreign=foreign,
        charges=charges,
        batch=_text(batch, "PmtInfId") or _text(batch, "MsgId"),
        count=count,
        details=details,
    )


def _details(entry, place, currency, amount):
    for element in _all(entry, "NtryDtls/TxDtls"):
        money = _first(element, "Amt") if _first(element, "Amt") is not None else _first(element, "AmtDtls/TxAmt/Amt")
        sign = SIGN.get(_text(element, "CdtDbtInd"), 1 if amount >= 0 else -1)
        if money is not None and money.get("Ccy", currency) != currency:
            money = None  # told in the payer's currency
        reference = _text(element, "Refs/EndToEndId") or _text(element, "Refs/AcctSvcrRef")
        said = (_said(each) for each in _all(element, "RmtInf/Ustrd"))
        yield Detail(
            amount=amount if money is None else sign * minor(money.text or "", currency, place),
            reference=reference,
            text=" ".join(filter(None, (reference, *said))),
        )


def _charges(entry, place, currency):
    """Yield charges: .02 repeats `Chrgs` with `Amt`, later versions have `Rcrd`s in one."""
    for element in (*_all(entry, "Chrgs"), *_all(entry, "NtryDtls/TxDtls/Chrgs")):
        for record in _all(element, "Rcrd") or [element]:
            money = _first(record, "Amt") if _first(record, "Amt") is not None else _first(record, "TtlChrgsAndTaxAmt")
            if money is None or money.get("Ccy", currency) != currency:
                continue
            sign = SIGN.get(_text(record, "CdtDbtInd"), -1)
            included = _text(record, "ChrgInclInd") in ("true", "1")
            yield Charge(sign * minor(money.text or "", currency, place), included, _text(record, "Tp/Prtry/Id"))


def _signed(entry, place, currency):
    """Return an entry's amount with its sign. RvslInd does not turn it: CdtDbtInd already says which way money went."""
    money, sign = _first(entry, "Amt"), SIGN.get(_text(entry, "CdtDbtInd"))
    if money is None or sign is None:
        raise BankFileError(
            _lt("Line %(place)s does not say how much, or whether it came in or went out.", place=place)
        )
    if money.get("Ccy", currency) != currency:
        raise BankFileError(
            _lt(
                "Line %(place)s is in %(line)s, its account in %(account)s.",
                place=place,
                line=money.get("Ccy"),
                account=currency,
            )
        )
    return sign * minor(money.text or "", currency, place)


def _balance(element, codes, currency, *, first):
    for code in codes:
        found = [each for each in _all(element, "Bal") if _text(each, "Tp/CdOrPrtry/Cd") == code]
        if found:
            return _signed(found[0 if first else -1], 0, currency)
    return None


def _date(element, path, place):
    said = _text(element, f"{path}/Dt") or _text(element, f"{path}/DtTm")
    try:
        return date.fromisoformat(said[:10]) if said else None
    except ValueError as error:
        raise BankFileError(_lt("Line %(place)s: “%(said)s” is not a date.", place=place, said=said)) from error


def _all(element, path):
    """Return the elements at a path of local names."""
    found = [] if element is None else [element]
    for name in path.split("/"):
        found = [child for each in found for child in each.iterchildren("{*}" + name)]
    return found


def _first(element, path):
    return next(iter(_all(element, path)), None)


def _text(element, path):
    return _said(_first(element, path))


def _said(element):
    return "" if element is None else " ".join((element.text or "").split())
