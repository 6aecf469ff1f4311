"""Odoo's bus for messages that a customer waits for: fewer ways to PostgreSQL, and none to its disk.

Odoo tells its bus of messages over a connection to the database `postgres` that it makes and closes each time. For the
relay making it takes longer than all the rest. Here it goes back to Odoo's own pool, which closes it when it is idle
for long. The rows are what Odoo writes, without what a model's `create` does that a message has no use for.
"""

from odoo import models, sql_db
from odoo.addons.bus.models.bus import ODOO_NOTIFY_FUNCTION, get_notify_payloads
from odoo.tools import SQL
from odoo.tools.misc import OrderedSet

CHANNELS = "bus.bus.channels"
VALUES = "bus.bus.values"
FLEETING, LASTING = "card_terminal.fleeting", "card_terminal.lasting"


class BusBus(models.Model):
    _inherit = "bus.bus"

    def _notify_over_kept_connection(self):
        """Let what this transaction puts on the bus from now on be told over a connection that is kept."""
        postcommit = self.env.cr.postcommit
        if CHANNELS in postcommit.data:
            return  # Odoo's own way was chosen first
        postcommit.data[CHANNELS] = OrderedSet()  # where Odoo finds it, it adds no way of its own

        @postcommit.add
        def notify():
            payloads = get_notify_payloads(list(postcommit.data.pop(CHANNELS)))
            if not payloads:
                return
            with sql_db.db_connect("postgres").cursor() as cursor:
                cursor.dbname = "postgres, kept"  # Odoo's pool keeps no connection of the name "postgres"
                for payload in payloads:
                    cursor.execute(SQL("SELECT %s('imbus', %s)", SQL.identifier(ODOO_NOTIFY_FUNCTION), payload))

    def _send_at_once(self):
        """Let what this transaction puts on the bus from now on get there by the shortest way."""
        self._notify_over_kept_connection()
        precommit = self.env.cr.precommit
        if VALUES in precommit.data:
            return  # Odoo's own way was chosen first
        precommit.data[VALUES] = []

        @precommit.add
        def insert():
            rows = precommit.data.pop(VALUES)
            if not rows:
                return
            fleeting = FLEETING in precommit.data and LASTING not in precommit.data
            self.env.cr.execute(
                SQL(
                    """%s INSERT INTO bus_bus (channel, message, create_uid, write_uid, create_date, write_date)
                    SELECT unnest(%s), unnest(%s), %s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'""",
                    SQL("SET LOCAL synchronous_commit TO off;") if fleeting else SQL(),
                    [row["channel"] for row in rows],
                    [row["message"] for row in rows],
                    self.env.uid,
                    self.env.uid,
                )
            )

    def _is_fleeting(self):
        """Say that this transaction holds nothing but messages, which may get lost on any network.

        Its commit does not wait for PostgreSQL's disk then: should that machine fail in the next moment, they are as if
        never sent. `_is_lasting` overrules it.
        """
        self.env.cr.precommit.data[FLEETING] = True

    def _is_lasting(self):
        """Say that this transaction keeps something besides messages."""
        self.env.cr.precommit.data[LASTING] = True
