"""The unit tests of the till's JavaScript (static/tests/unit), in the browser."""

from odoo.addons.web.tests.test_js import unit_test_error_checker
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestUnit(HttpCase):
    def test_unit(self):
        suite = f"{_hash('@pos_card_terminal'):08x}"
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
            "",
            login="admin",
            timeout=240,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=unit_test_error_checker,
        )


def _hash(name):
    """Return what Hoot calls a suite in an address."""
    value = 0
    for character in name:
        value = ((value << 5) - value + ord(character)) & 0xFFFFFFFF
    return value
