"""What the relay puts on Odoo's bus is told over one connection to PostgreSQL: kept and, when lost, made anew."""

import contextlib
import json
import select

from odoo import sql_db
from odoo.addons.bus.models.bus import json_dump
from odoo.tests import TransactionCase, tagged

PATIENCE = 20


@tagged("post_install", "-at_install")
class TestBusConnection(TransactionCase):
    def setUp(self):
        super().setUp()
        self.ears = self.enterContext(contextlib.closing(sql_db.db_connect("postgres").cursor()))
        self.ears.execute("LISTEN imbus")
        self.ears.commit()

    def tell(self, channel, times=1):
        """Put messages on the bus, and return the server processes that told of them."""
        commit = self.env.cr.postcommit
        commit.clear()
        self.env["bus.bus"]._notify_over_kept_connection()
        for number in range(times):
            self.env["bus.bus"]._sendone(f"{channel} {number}", "told", {})
        commit.run()
        wanted = [json.loads(json_dump((self.env.cr.dbname, f"{channel} {number}"))) for number in range(times)]
        heard, tellers = [], set()
        while heard != wanted and select.select([self.ears._cnx], [], [], PATIENCE)[0]:
            self.ears._cnx.poll()
            while self.ears._cnx.notifies:
                notice = self.ears._cnx.notifies.pop(0)
                mine = [name for name in json.loads(notice.payload) if name in wanted]
                heard += mine
                tellers |= {notice.pid} if mine else set()
        self.assertEqual(heard, wanted)
        return tellers

    def test_one_connection_tells_of_many_transactions(self):
        (first,) = self.tell("first")
        self.assertEqual({first}, self.tell("second", times=3))

    def test_a_connection_that_was_lost_is_made_anew(self):
        (lost,) = self.tell("before")
        self.ears.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
        self.ears.commit()
        (made,) = self.tell("after")
        self.assertNotEqual(made, lost)

    def test_who_was_first_tells(self):
        self.env.cr.postcommit.clear()
        self.env["bus.bus"]._sendone("Odoo's own", "told", {})
        self.env["bus.bus"]._notify_over_kept_connection()
        self.assertEqual(len(self.env.cr.postcommit._funcs), 1)

    def test_nothing_to_tell_asks_for_no_connection(self):
        self.env.cr.postcommit.clear()
        self.env["bus.bus"]._notify_over_kept_connection()
        with self.assertNoLogs("odoo.sql_db", "DEBUG"):
            self.env.cr.postcommit.run()
