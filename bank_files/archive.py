"""Zip files from outside: unpacked within limits, whatever they say of themselves."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from odoo.tools import LazyTranslate

from .statement import BankFileError

_lt = LazyTranslate(__name__)

#: A year of a busy shop is a few MiB; more is not a statement.
MOST_BYTES = 64 * 2**20
MOST_MEMBERS = 200


def is_zip(content: bytes) -> bool:
    """Tell whether this begins as a zip file does."""
    return content.startswith(b"PK\x03\x04")


def check_size(size: int) -> None:
    """Raise `BankFileError` where this is more than any statement has."""
    if size > MOST_BYTES:
        raise too_large()


def too_large() -> BankFileError:
    """Return what is said of a file that is larger than any statement."""
    return BankFileError(
        _lt("The file is larger than %(most)s MiB. Ask the bank for a shorter period.", most=MOST_BYTES // 2**20)
    )


def members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the files in a zip; `BankFileError` where it is damaged, locked or too large."""
    with _read(content) as archive:
        found = [member for member in archive.infolist() if not member.is_dir()]
        check_size(sum(member.file_size for member in found))
        if len(found) > MOST_MEMBERS:
            raise too_large()
        for member in found:
            with archive.open(member) as file:  # what a zip says of its size can be a lie
                inside = file.read(MOST_BYTES + 1)
            check_size(len(inside))
            yield member.filename, inside


@contextmanager
def _read(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        raise BankFileError(_lt("The zip file is damaged or protected by a password: %(why)s", why=error)) from error
