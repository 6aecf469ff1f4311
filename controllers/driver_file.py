"""Downloads for a till: the driver itself, and a driver's own configuration file."""

from odoo import http
from odoo.http import content_disposition, request

from ..hw_driver import __version__
from ..hw_driver.install import package

#: The driver is free software and holds no secret: whoever reaches Odoo may have it, as pip does, without a session.
FILES = {package.ZIPAPP: package.zipapp, package.wheel_name(__version__): lambda: package.wheel(__version__)}


class DriverFileController(http.Controller):
    @http.route("/card_terminal/driver/<string:name>", type="http", auth="public", methods=["GET"], save_session=False)
    def driver_package(self, name):
        """Return the driver as one file for Python, or as a wheel for pip and for upgrades."""
        if name not in FILES:
            raise request.not_found()
        return request.make_response(
            FILES[name](),
            headers=[
                ("Content-Type", "application/octet-stream"),
                ("Content-Disposition", content_disposition(name)),
                ("Cache-Control", "no-cache"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )

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
