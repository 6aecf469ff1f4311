"""Where a new driver brings its short code and is given its key: docs/api.md section 2.4."""

import json
import logging

from odoo import SUPERUSER_ID, http
from odoo.http import request

_logger = logging.getLogger(__name__)

MAX_BYTES = 4096


class PairController(http.Controller):
    @http.route(
        "/card_terminal/v1/pair",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def pair(self, **_kwargs):
        """Exchange a code for a driver's id and key."""
        length = request.httprequest.content_length
        if length is None or length > MAX_BYTES:
            return self._refuse(413, f"at most {MAX_BYTES} bytes")
        try:
            asked = json.loads(request.httprequest.get_data())
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("code"), str):
            return self._refuse(400, "the body must be JSON with a code")
        env = request.env(user=SUPERUSER_ID, su=True)
        address = request.httprequest.remote_addr or ""
        driver = env["card.terminal.pairing"]._redeem(asked["code"], address)
        if not driver:
            _logger.warning("Card terminal pairing: a wrong code from %s", address)
            return self._refuse(403, "this code is wrong, too old, used, or was tried too often: make another in Odoo")
        driver._note_paired(str(asked.get("name") or "")[:80], str(asked.get("version") or "")[:64], address)
        response = request.make_json_response(driver._driver_tables())
        response.headers["Cache-Control"] = "no-store"
        return response

    def _refuse(self, status, error):
        return request.make_json_response({"error": error}, status=status)
