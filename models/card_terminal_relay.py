"""The relay: tills that cannot reach a driver speak to it through Odoo's bus (docs/api.md 2.3).

Odoo only passes on: a command is signed and put on the driver's channel, an answer on the channel of the till's point
of sale. No request waits for a customer, and nothing is stored but the bus's own rows.
"""

import hashlib
import hmac
import re
import time

from odoo import api, fields, models
from odoo.addons.bus.websocket import WebsocketConnectionHandler
from odoo.exceptions import UserError

#: Seconds after which a driver starts nothing that a command asks for.
COMMAND_SECONDS = 10
#: Seconds that an answer may be old, or of another clock.
ANSWER_SECONDS = 120
#: Seconds of silence after which a driver is taken to be away; it speaks at least every 10.
SILENCE_SECONDS = 25
#: Operations that a till may relay, and whether they are about one transaction.
OPERATIONS = {"health": False, "start": True, "ask": True, "cancel": True, "settle": True, "reprint": True}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_COMMAND = 16 * 1024
#: What is read of a driver, in one query, to pass a command on to it.
TO_RELAY = ["uuid", "company_id", "road", "relay_connected", "last_seen", "key_state", "sealed_key"]
DAY = 24 * 3600
NOTIFICATION = "card_terminal_relay"
TO_TILL = "CARD_TERMINAL_RELAY"
WEBSOCKET_PARAMETER = "pos_card_terminal.websocket_url"


class CardTerminalDriver(models.Model):
    _inherit = "card.terminal.driver"

    road = fields.Selection(
        [("auto", "Directly, else through Odoo"), ("direct", "Directly only"), ("relay", "Through Odoo only")],
        "How Tills Reach It",
        required=True,
        default="auto",
        help="Directly: the till's browser calls the driver's address, which works while the internet is down. Through "
        "Odoo: for tablets and pages whose browser may not call that address.",
    )
    relay_connected = fields.Boolean(
        "Listens to Odoo", readonly=True, copy=False, help="The driver said that commands through Odoo reach it."
    )

    # Driver -----------------------------------------------------------------------------------------------------------

    def _receive(self, payload):
        self.env["bus.bus"]._notify_over_kept_connection()
        answer = super()._receive(payload)
        connected = payload.get("relay") is True
        if connected != self.relay_connected:
            self.relay_connected = connected
        return {**answer, "relay": self._relay_words()}

    def _relay_words(self):
        """Return where the driver listens, and Odoo's time; None where it need not."""
        self.ensure_one()
        if self.road == "direct" or not self.has_key:
            return None
        today = int(time.time()) // DAY
        return {
            "channels": [self._relay_channel(day) for day in (today, today + 1)],
            "url": self.env["ir.config_parameter"].sudo().get_param(WEBSOCKET_PARAMETER) or None,
            "version": WebsocketConnectionHandler._VERSION,
            "now": time.time(),
        }

    def _relay_channel(self, day):
        """Return the name of the bus channel for a day (since 1970): who knows it can listen, so it is a secret."""
        key = bytes.fromhex(self.sudo().key)
        return f"card_terminal_{hmac.new(key, f'relay:{self.uuid}:{day}'.encode(), hashlib.sha256).hexdigest()}"

    def _pass_on(self, payload):
        """Pass a driver's answers on to the points of sale they are for; return how many were."""
        self.ensure_one()
        at = payload.get("at") if isinstance(payload, dict) else None
        if (
            type(at) not in (int, float)
            or abs(time.time() - at) > ANSWER_SECONDS
            or not isinstance(payload.get("results"), list)
        ):
            raise ValueError("not an answer of now")
        if payload.get("database_uuid") != self._database_uuid():
            raise ValueError("an answer for another database")
        said = {"driver": self.uuid, **{name: payload.get(name) for name in ("journal_id", "now")}}
        named = [each for each in payload["results"] if isinstance(each, dict) and type(each.get("reply")) is int]
        mine = self._points_of_sale({each["reply"] for each in named})
        results = [each for each in named if each["reply"] in mine]
        self.env["bus.bus"]._send_at_once()
        self.env["bus.bus"]._is_fleeting()
        for result in results:
            words = {name: result.get(name) for name in ("command", "uuid", "status", "body")}
            mine[result["reply"]]._notify(TO_TILL, {**said, **words})
        return len(results)

    def _points_of_sale(self, ids):
        """Return {id: point of sale} of those among `ids` that have a terminal of this driver: one short query."""
        if not ids:
            return {}
        of_mine = [("driver_id", "=", self.id), ("active", "=", True)]
        found = self.env["pos.config"].with_context(active_test=False).search_fetch(
            [
                ("id", "in", list(ids)),
                "|", ("card_terminal_id", "any", of_mine), ("card_terminal_spare_ids", "any", of_mine),
            ],
            ["access_token"],
        )  # fmt: skip
        return {config.id: config for config in found}

    # Till -------------------------------------------------------------------------------------------------------------

    @api.model
    def _relay_by_grant(self, grant, request):
        """Pass on the command of a till by its session grant, as the driver itself would take it from that till.

        What the grant says need not be read again, and a customer waits. Return as `_relay`; None for a grant that does
        not count, or whose session is closed.
        """
        driver = self.sudo().search_fetch([("uuid", "=", str(request.get("driver")))], TO_RELAY)
        claims = driver and driver._open_grant(grant)
        user = self.env.user
        if not (claims and user.has_group("point_of_sale.group_pos_user")):
            return None
        if driver.company_id.id not in user._get_company_ids():
            return None
        place = [("config_id", "=", claims["reply"]), ("name", "=", claims["session"]), ("state", "!=", "closed")]
        if not self.env["pos.session"].sudo().search_count(place, limit=1):
            return None
        self.env["bus.bus"]._is_fleeting()
        return driver._relay(claims, request)

    def _relay(self, claims, request):
        """Put a till's command on the driver's channel; return {sent: True}, or {problem} where nothing was sent.

        `claims` are those of the till's session, `request`: {command (a new uuid), op, uuid, body, grant}.
        """
        self.ensure_one()
        if self.road == "direct":
            return self._not_sent("relay_off", self.env._("This driver is reached directly only."))
        if not self.relay_connected or not self._heard_lately():
            return self._not_sent("not_listening", self.env._("The card driver is not connected to Odoo."))
        now = time.time()
        words = {"typ": "relay", "iat": now, "exp": now + COMMAND_SECONDS}
        token = self._sign({**claims, **self._command(request), **words})
        if len(token) > MAX_COMMAND:
            raise UserError(self.env._("The till's request is too large. Reload the point of sale."))
        channel = self._relay_channel(int(now) // DAY)
        self.env["bus.bus"]._send_at_once()
        self.env["bus.bus"].sudo()._sendone(channel, NOTIFICATION, {"command": token})
        return {"sent": True}

    def _heard_lately(self):
        seen = self.last_seen
        return bool(seen) and (fields.Datetime.now() - seen).total_seconds() < SILENCE_SECONDS

    def _not_sent(self, code, text):
        return {"problem": {"code": code, "title": text, "detail": text, "status": 503, "money": "safe"}}

    def _command(self, request):
        """Return the checked claims of a request; the driver checks what its body says."""
        operation, uuid = request.get("op"), request.get("uuid")
        named = OPERATIONS.get(str(operation))
        body, grant = request.get("body"), request.get("grant")
        good = (
            named is not None
            and UUID.fullmatch(str(request.get("command")))
            and (UUID.fullmatch(str(uuid)) if named else not uuid)
            and isinstance(body or {}, dict)
            and isinstance(grant or "", str)
        )
        if not good:
            raise UserError(self.env._("The till sent a request that cannot be read. Reload the point of sale."))
        return {
            "id": request["command"],
            "op": operation,
            "uuid": uuid or "",
            "body": body or None,
            "once": grant or None,
        }

    @api.model
    def _load_pos_data_fields(self, config):
        return [*super()._load_pos_data_fields(config), "road"]
