"""Where paired drivers report: docs/api.md section 2."""

import json
import logging

from odoo import http
from odoo.http import request

from ..hw_driver import signing
from ..models.card_terminal_journal import MalformedBatch, OtherDatabase, TooManyEvents

_logger = logging.getLogger(__name__)

MAX_BYTES = 1 << 20
#: HTTP status of each refusal that the model knows.
REFUSALS = {MalformedBatch: 400, OtherDatabase: 409, TooManyEvents: 413}


class EventsController(http.Controller):
    @http.route(
        "/card_terminal/v1/events",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def events(self, **_kwargs):
        """Take a driver's events and say how far Odoo has got."""
        body = self._body()
        if body is None:
            return self._refuse(413, f"at most {MAX_BYTES} bytes")
        driver, key = self._driver(body)
        if driver is None:
            return self._refuse(401, "unknown driver or bad signature")
        if driver.key_state == "revoked":
            return self._signed(key, {"error": "the driver was revoked", "standing": driver._standing()}, status=401)
        try:
            answer = driver._receive(json.loads(body))
        except tuple(REFUSALS) as error:
            _logger.warning("Card terminal driver %s was refused: %s", driver.name, error)
            return self._refuse(REFUSALS[type(error)], str(error))
        except (ValueError, RecursionError):
            return self._refuse(400, "the body is not JSON")
        return self._signed(key, answer)

    def _signed(self, key, answer, status=200):
        """Return a response that only this driver's Odoo can give, and only to this request."""
        response = request.make_json_response(answer, status=status)
        response.headers["X-Card-Terminal-Signature"] = signing.sign_answer(
            key, request.httprequest.headers["X-Card-Terminal-Signature"], response.get_data()
        )
        return response

    def _body(self):
        """Return the body, or None where it is too large to be read."""
        length = request.httprequest.content_length
        if length is None or length > MAX_BYTES:
            return None
        return request.httprequest.get_data()

    def _driver(self, body):
        """Return the driver that signed this body, with superuser rights in its company, and its key; else None."""
        headers = request.httprequest.headers
        named, signature = (headers.get(f"X-Card-Terminal-{word}", "") for word in ("Driver", "Signature"))
        return request.env["card.terminal.driver"]._who_signed(named, signature, body)

    def _refuse(self, status, error):
        return request.make_json_response({"error": error}, status=status)
