"""A bank's file as it arrives: found out what it is, unpacked where it is zipped, read."""

import io
import zipfile
from collections.abc import Iterator

from odoo.tools import LazyTranslate

from . import camt, cfonb120, ofx, sheet
from .statement import BankFileError, Statement

_lt = LazyTranslate(__name__)

#: A year of a busy shop is a few MiB; more is not a statement.
MOST_BYTES = 64 * 2**20
MOST_MEMBERS = 200

#: How each format is known -> how it is read; the first that knows it.
FORMATS = (
    (ofx.looks_like, ofx.read),
    (cfonb120.looks_like, cfonb120.read),
    (lambda content: content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"), camt.read),
)


def read(content: bytes, mapping: sheet.Mapping | None = None) -> list[Statement]:
    """Return the statements of a file, or of all files in a zip. Raises `BankFileError`; then nothing was read.

    CSV is read where a mapping says how.
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
                "A CSV needs a mapping that says what its columns hold: make one first."
            )
        )
    return sheet.read(content, mapping)


def _unpacked(content: bytes) -> Iterator[bytes]:
    if len(content) > MOST_BYTES:
        raise _too_large()
    if not content.startswith(b"PK\x03\x04"):
        yield content
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
                raise _too_large()
            for member in members:
                with archive.open(member) as file:  # what a zip says of its size can be a lie
                    inside = file.read(MOST_BYTES + 1)
                if len(inside) > MOST_BYTES:
                    raise _too_large()
                yield inside
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise BankFileError(_lt("The zip file is damaged or protected by a password: %(why)s", why=error)) from error


def _too_large():
    return BankFileError(
        _lt("The file is larger than %(most)s MiB. Ask the bank for a shorter period.", most=MOST_BYTES // 2**20)
    )
