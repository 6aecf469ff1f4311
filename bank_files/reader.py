"""A bank's file as it arrives: found out what it is, unpacked where it is zipped, read."""

from collections.abc import Iterator

from odoo.tools import LazyTranslate

from . import camt, cfonb120, ofx, sheet, workbook
from .archive import check_size, is_zip, members
from .statement import BankFileError, Statement

_lt = LazyTranslate(__name__)

#: How each format is known -> how it is read; the first that knows it.
FORMATS = (
    (ofx.looks_like, ofx.read),
    (cfonb120.looks_like, cfonb120.read),
    (lambda content: content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"), camt.read),
)


def read(content: bytes, mapping: sheet.Mapping | None = None) -> list[Statement]:
    """Return the statements of a file, or of all files in a zip. Raises `BankFileError`; then nothing was read.

    CSV and XLSX are read where a mapping says how.
    """
    return [statement for file in files(content, mapping) for statement in file]


def files(content: bytes, mapping: sheet.Mapping | None = None) -> list[list[Statement]]:
    """Return the statements of each file apart: a zip may hold several, and files may overlap."""
    return [_read_one(each, mapping) for each in _unpacked(content)]


def _read_one(content, mapping):
    if not content.strip():
        raise BankFileError(_lt("The file is empty."))
    for known, reader in FORMATS:
        if known(content):
            return reader(content)
    if mapping is None:
        raise BankFileError(
            _lt(
                "This is not a CAMT.053, CFONB 120 or OFX file. "
                "A CSV or XLSX needs a mapping that says what its columns hold: make one first."
            )
        )
    return sheet.read(content, mapping)


def _unpacked(content: bytes) -> Iterator[bytes]:
    check_size(len(content))
    if is_zip(content) and not workbook.looks_like(content):
        yield from (inside for _name, inside in members(content))
    else:
        yield content
