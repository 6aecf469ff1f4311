"""Odoo's bus without a new connection to PostgreSQL for every message.

Odoo tells its bus of messages over a connection to the database `postgres` that it makes and closes each time. For the
relay, for whose messages a customer waits, making it takes longer than all the rest. Here it goes back to Odoo's own
pool, which closes it when it is idle for long.
"""

from odoo import models, sql_db
from odoo.addons.bus.models.bus import ODOO_NOTIFY_FUNCTION, get_notify_payloads
from odoo.tools import SQL
from odoo.tools.misc import OrderedSet

CHANNELS = "bus.bus.channels"


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
