"""The relay over websockets that are open already: tills' commands, drivers' answers (docs/api.md 2.3).

A frame is what the same words by HTTP are, with the same checks, and costs a third. What is not taken is answered with
silence, and said again by HTTP: a till's command with its id, which a driver carries out once.
"""

import json
from contextlib import suppress
from urllib.parse import urlsplit

from odoo import models
from odoo.addons.bus.websocket import InvalidStateException, wsrequest
from odoo.exceptions import UserError

from ..hw_driver import signing

FROM_TILL = "card_terminal_command"
NOT_SENT = "CARD_TERMINAL_NOT_SENT"
FROM_DRIVER = "card_terminal_answers"
TAKEN = "card_terminal_taken"


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _serve_ir_websocket(self, event_name, data):
        result = super()._serve_ir_websocket(event_name, data)
        if event_name == FROM_TILL and isinstance(data, dict):
            self._serve_card_command(data.get("grant"), data.get("request"))
        elif event_name == FROM_DRIVER and isinstance(data, dict):
            words = [data.get(name) for name in ("driver", "signature", "body")]
            if all(isinstance(word, str) for word in words):
                self._serve_card_answers(*words)
        return result

    def _serve_card_command(self, grant, request):
        """Pass a till's command on; what refuses it is told to the user who asked."""
        if not isinstance(grant, str) or not isinstance(request, dict) or not _own_page():
            return
        try:
            problem = (self.env["card.terminal.driver"]._relay_by_grant(grant, request) or {}).get("problem")
        except UserError as error:
            text = str(error)
            problem = {"code": "odoo_refused", "title": text, "detail": text, "status": 400, "money": "safe"}
        if problem:
            self.env["bus.bus"]._send_at_once()
            self.env.user._bus_send(NOT_SENT, {"command": request.get("command"), "problem": problem})

    def _serve_card_answers(self, uuid, signature, body):
        """Pass a driver's answers on, and say so once they are on the bus."""
        driver, key = self.env["card.terminal.driver"]._who_signed(uuid, signature, body.encode())
        if driver is None or driver.key_state != "active":
            return
        with suppress(ValueError, RecursionError):
            answer = signing.canonical({"taken": driver._pass_on(json.loads(body))})
            words = {"signature": signing.sign_answer(key, signature, answer), "body": answer.decode()}
            websocket = wsrequest.ws

            @self.env.cr.postcommit.add
            def say_so():
                # From the loop of this very websocket: no other frame is being written.
                with suppress(InvalidStateException, OSError):
                    websocket._send({TAKEN: words})


def _own_page():
    """Return whether a page of this Odoo opened the websocket: other pages may, and the browser adds the cookie."""
    headers = wsrequest.httprequest.headers
    return urlsplit(headers.get("Origin", "")).netloc == headers.get("Host", "")
