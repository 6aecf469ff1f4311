"""Download of a driver's own configuration file."""

from odoo import http
from odoo.http import content_disposition, request


class DriverFileController(http.Controller):
    @http.route(
        "/card_terminal/driver/<model('card.terminal.driver'):driver>/driver.toml",
        type="http",
        auth="user",
        methods=["GET"],
    )
    def driver_toml(self, driver):
        """Return driver.toml with the pairing key; Point of Sale administrators only."""
        return request.make_response(
            driver._driver_toml(),
            headers=[
                ("Content-Type", "application/toml; charset=utf-8"),
                ("Content-Disposition", content_disposition("driver.toml")),
                ("Cache-Control", "no-store"),
            ],
        )
