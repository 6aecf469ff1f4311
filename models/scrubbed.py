"""Fields for what people write: card numbers are taken out before the value is kept anywhere (law 11)."""

from odoo import fields

from ..hw_driver.protocols.scrub import scrub


class _Scrubbed:
    def convert_to_cache(self, value, record, validate=True):
        cached = super().convert_to_cache(value, record, validate)
        return scrub(cached) if isinstance(cached, str) else cached

    def convert_to_column(self, value, record, values=None, validate=True):
        return self.convert_to_cache(value, record, validate)


class ScrubbedChar(_Scrubbed, fields.Char):
    """One line of text without card numbers."""


class ScrubbedText(_Scrubbed, fields.Text):
    """Text without card numbers."""
