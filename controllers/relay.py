"""Where drivers bring answers for tills that reach them through the bus: docs/api.md section 2.3."""

import json

from odoo import http
from odoo.http import request

from .events import EventsController

PUBLIC_SESSION = {"uid": None, "login": None, "session_token": None}


class RelayController(http.Controller):
    @http.route(
        "/card_terminal/v1/relay",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def relay(self, **_kwargs):
        """Pass a driver's answers on to the tills they are for; nobody waits here for a customer."""
        link = EventsController()
        body = link._body()
        if body is None:
            return link._refuse(413, "the body is too large")
        driver, key = link._driver(body)
        if driver is None or driver.key_state != "active":
            return link._refuse(401, "unknown driver or bad signature")
        try:
            payload = json.loads(body)
            answer = {"taken": driver._pass_on(payload)}
        except (ValueError, RecursionError):
            return link._refuse(400, "the body is not what it should be")
        if payload.get("session"):
            answer["session"] = self._public_session()
        return link._signed(key, answer)

    def _public_session(self):
        """Return a session of nobody, which tells the websocket the database; it opens nothing."""
        session = http.root.session_store.new()
        session.update(http.get_default_session(), db=request.db, **PUBLIC_SESSION)
        session.context["lang"] = None
        http.root.session_store.save(session)
        return session.sid
