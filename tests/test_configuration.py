"""What drivers and tills are given: configuration, grants, the driver's file, the data a till loads."""

import tomllib

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open

from .common import KEY, CardTerminalCase, decode_grant


@tagged("post_install", "-at_install")
class TestConfiguration(CardTerminalCase):
    def test_configuration_as_the_driver_reads_it(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "https://shop.example/")
        self.driver.write({"url": "http://till1.lan:8765", "origins": "https://pos.shop.example"})
        self.terminal.write({"options": {"register": "07", "ipc": "123456789012", "answer_timeout": 90}})
        claims = decode_grant(self.report()["configuration"], KEY)
        self.assertEqual(claims["typ"], "configuration")
        self.assertEqual(claims["drv"], self.driver.uuid)
        self.assertEqual(claims["db"], self.database_uuid)
        self.assertEqual(claims["number"], self.driver.configuration_number)
        self.assertEqual(claims["origins"], ["https://pos.shop.example", "https://shop.example"])
        self.assertEqual(claims["hosts"], ["till1.lan"])
        self.assertEqual([terminal["name"] for terminal in claims["terminals"]], ["Counter", "Terrace"])
        self.assertEqual(
            claims["terminals"][0],
            {
                "id": self.terminal.uuid,
                "name": "Counter",
                "protocol": "concert-v3",
                "transport": {"kind": "tcp", "host": "192.0.2.10", "port": 8888},
                "options": {"register": "07", "ipc": "123456789012", "answer_timeout": 90.0},
            },
        )  # fmt: skip

    def test_every_change_has_a_number(self):
        self.report()
        number = self.driver.configuration_number
        for change in (
            lambda: self.terminal.write({"host": "192.0.2.99"}),
            lambda: self.terminal.write({"active": False}),
            lambda: self.driver.write({"origins": "https://other.example"}),
            lambda: self.env["ir.config_parameter"].set_param("web.base.url", "https://moved.example"),
        ):
            change()
            claims = decode_grant(self.report()["configuration"], KEY)
            self.assertEqual(claims["number"], number + 1)
            number += 1
        self.terminal.write({"contract": "1"})
        self.assertEqual(decode_grant(self.report()["configuration"], KEY)["number"], number)

    def test_what_is_asked_after_a_lost_answer(self):
        self.terminal.write(
            {"options": {"duplicata": True, "duplicata_idle": True, "duplicata_refused": "07", "reference_tag": "CF"}}
        )
        self.terminal.exclusive = True
        told = decode_grant(self.report()["configuration"], KEY)["terminals"][0]
        self.assertTrue(told["exclusive"])
        wanted = {"duplicata": True, "duplicata_idle": True, "duplicata_refused": "07", "reference_tag": "CF"}
        self.assertEqual({name: told["options"].get(name) for name in wanted}, wanted)
        with self.assertRaisesRegex(ValidationError, "Duplicata refused"):
            self.terminal.options = {"duplicata_refused": "seven"}

    def test_a_terminal_has_one_driver(self):
        self.terminal.host = "counter.lan"
        vals = {"name": "Again", "host": "Counter.LAN", "port": self.terminal.port}

        def refused(words, change):
            with self.assertRaisesRegex(ValidationError, words), self.env.cr.savepoint():
                change()

        terminals, other = self.env["card.terminal"], self.driver.copy({"name": "Another driver"})
        refused("Set the terminal up once", lambda: terminals.create({**vals, "driver_id": self.driver.id}))
        refused("a terminal has one driver", lambda: terminals.create({**vals, "driver_id": other.id}))
        again = terminals.create({**vals, "driver_id": other.id, "other_network": True})
        refused("a terminal has one driver", lambda: again.write({"other_network": False}))
        again.active = False
        again.other_network = False
        refused("a terminal has one driver", lambda: again.write({"active": True}))
        self.assertFalse(terminals.create({**vals, "driver_id": other.id, "host": "counter_lan"}).other_network)

    def test_terminals_that_cannot_work_are_refused(self):
        for vals in (
            {"host": False},
            {"port": 0},
            {"port": 70000},
            {"options": {"register": "x"}},
            {"options": {"ipc": "12"}},
            {"options": {"answer_timeout": 100000}},
            {"options": {"register": "12", "register_length": 1}},
            {"options": {"colour": "red"}},
            {"options": ["register"]},
            {"host": "http://192.0.2.1"},
            {"host": "192.0.2.1:8888"},
            {"transport": "serial"},
        ):
            with self.subTest(vals), self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.terminal.write(vals)
            self.env.invalidate_all()

    def test_addresses_that_cannot_work_are_refused(self):
        for vals in (
            {"url": "till1:8765"},
            {"url": "http://"},
            {"url": "ftp://x"},
            {"origins": "shop"},
            {"origins": "https://a/b"},
        ):
            with self.subTest(vals), self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.driver.write(vals)
            self.env.invalidate_all()

    def test_file_of_the_driver(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "https://shop.example")
        self.driver.url = "http://127.0.0.1:9999"
        tables = tomllib.loads(self.driver._driver_toml())
        self.assertEqual(tables["driver"], {"listen": "127.0.0.1", "port": 9999})
        self.assertEqual(
            tables["odoo"],
            {
                "url": "https://shop.example", "database": self.env.cr.dbname, "database_uuid": self.database_uuid,
                "driver": self.driver.uuid, "key": KEY,
            },
        )  # fmt: skip

    def test_new_key(self):
        self.driver.action_new_key()
        self.assertNotEqual(self.driver.key, KEY)
        self.assertEqual(len(bytes.fromhex(self.driver.key)), 32)

    def test_session_grants(self):
        session = self.open()
        other = self.env["card.terminal"].create(
            {"name": "Elsewhere", "driver_id": self.driver.id, "host": "192.0.2.12"}
        )
        (answer,) = session.with_user(self.cashier).card_terminal_grants()
        claims = decode_grant(answer["grant"], KEY)
        self.assertEqual(answer["driver"], self.driver.uuid)
        self.assertEqual(claims["exp"], answer["expires"])
        self.assertEqual(claims["terminals"], [self.terminal.uuid, self.spare.uuid])
        self.assertNotIn(other.uuid, claims["terminals"])
        self.assertEqual(claims["ops"], ["sale", "status", "cancel", "identify", "reprint"])
        self.assertEqual(
            (claims["typ"], claims["till"], claims["session"], claims["user"]),
            ("session", self.config.name, session.name, "Cashier"),
        )

    def test_no_grant_for_a_closed_session(self):
        session = self.open()
        session.close_session_from_ui()
        with self.assertRaises(UserError):
            session.with_user(self.cashier).card_terminal_grants()

    def test_what_a_till_loads(self):
        session = self.open().with_user(self.cashier)
        elsewhere = self.env["card.terminal.driver"].create({"name": "Elsewhere"})
        data = session.load_data(["card.terminal.driver", "card.terminal"])
        (driver,) = data["card.terminal.driver"]
        self.assertEqual(set(driver), {"id", "name", "uuid", "url", "grant", "grant_expires", "road"})
        self.assertEqual(decode_grant(driver["grant"], KEY)["session"], session.name)
        self.assertNotIn(elsewhere.id, [row["id"] for row in data["card.terminal.driver"]])
        self.assertEqual([row["name"] for row in data["card.terminal"]], ["Counter", "Terrace"])
        self.assertEqual(
            set(data["card.terminal"][0]),
            {"id", "name", "uuid", "driver_id", "protocol", "can_cancel", "kinds", "means"},
        )
        self.assertLessEqual({"identify", "refund", "sale"}, set(data["card.terminal"][0]["kinds"]))
        self.assertNotIn(KEY, str(session.load_data([])))
        loaded = session.with_context(pos_last_server_date="2100-01-01 00:00:00").load_data(["card.terminal.driver"])
        self.assertEqual(len(loaded["card.terminal.driver"]), 1, "grants age: they are loaded every time")

    def test_settings(self):
        with Form(self.env["res.config.settings"].with_context(pos_config_id=self.config.id)) as settings:
            settings.pos_config_id = self.config
            settings.pos_card_terminal_id = self.spare
            settings.pos_card_terminal_training = True
        settings.record.execute()
        self.assertEqual((self.config.card_terminal_id, self.config.card_terminal_training), (self.spare, True))

    def test_neutralized_database_has_no_key(self):
        self.env.flush_all()
        with file_open("pos_card_terminal/data/neutralize.sql") as file:
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.assertFalse(self.driver.key)
        self.assertFalse(
            self.env["card.terminal.driver"].with_context(active_test=False).search_count([("sealed_key", "!=", False)])
        )
        self.assertEqual(self.open().card_terminal_grants(), [])
