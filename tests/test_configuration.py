"""What drivers and tills are given: configuration, grants, the driver's file, the data a till loads."""

import tomllib

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import file_open

from ..hw_driver.protocols.registry import PROTOCOLS
from ..hw_driver.protocols.serial_line import OPTIONS as SERIAL_LINE
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
        with self.assertRaisesRegex(ValidationError, "No copy: reason code"):
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

    def test_what_a_terminal_can_do(self):
        self.assertNotIn("settlement", self.terminal.kinds)
        self.terminal.options = {"settlement": True, "reversal": False, "accepts": "card cheque"}
        self.assertIn("settlement", self.terminal.kinds)
        self.assertNotIn("reversal", self.terminal.kinds)
        self.assertEqual(self.terminal.means, ["card", "cheque"])
        self.assertIn("Cheque", self.terminal.able_text)
        methods = dict(self.card_pm._fields["card_means"]._description_selection(self.env))
        self.assertEqual((next(iter(methods)), methods["cheque"]), ("card", "Cheque"))

    def test_a_terminal_on_a_cable(self):
        with Form(self.terminal) as form:
            form.protocol = "concert-v2"
            self.assertEqual(form.transport, "tcp", "V2 has both: what is set stays")
            form.transport = "serial"
            self.assertIn("card-terminal ports", form.reach_hint)
            form.usb = "0b00:0057"
            self.assertIn("Ingenico", form.reach_hint)
            form.family = "concert-v2/ingenico-telium-1200"
        told = self.terminal._configuration()
        self.assertEqual(told["transport"], {"kind": "serial", "usb": "0b00:0057", "preset": "rs232", "speed": 1200})
        self.assertEqual(told["options"], {"dialect": "E+"})
        parity = self.terminal.option_ids.filtered(lambda line: line.name == "parity")
        self.assertEqual((parity.value, parity.standard), (False, "even"), "as the preset of the cable says")
        self.terminal.options = {"preset": "usb", "speed": 19200, "line_tries": 5}
        self.assertEqual(self.terminal._configuration()["transport"]["speed"], 19200)
        self.assertEqual(self.terminal._configuration()["options"], {"line_tries": 5})

    def test_ports_of_a_cable(self):
        cable = {"protocol": "concert-v2", "transport": "serial"}
        for vals in (
            {}, {"usb": "ingenico"}, {"usb": "0b00:0057", "device": "COM3"},
            {"usb": "0b00:0057", "options": {"bits": 9}},
            {"transport": "tcp", "host": False},
        ):  # fmt: skip
            with self.subTest(vals), self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.terminal.write({**cable, **vals})
            self.env.invalidate_all()
        self.terminal.write({**cable, "device": "/dev/ttyACM0"})
        self.assertIn("changes", self.terminal.reach_hint)
        again = {"name": "Again", "driver_id": self.driver.id, **cable, "device": "/dev/ttyACM0"}
        with self.assertRaisesRegex(ValidationError, "Set the terminal up once"), self.env.cr.savepoint():
            self.env["card.terminal"].create(again)
        other = self.driver.copy({"name": "Another machine"})
        self.assertTrue(self.env["card.terminal"].create({**again, "driver_id": other.id}), "a port of another machine")

    def test_the_form_for_every_protocol_and_family(self):

        def place(form):
            if form.transport == "tcp":
                form.host = "192.0.2.77"
            else:
                form.device = "/dev/serial/by-id/x"

        for protocol, info in PROTOCOLS.items():
            with self.subTest(protocol), Form(self.env["card.terminal"]) as form:
                form.name, form.driver_id, form.protocol = f"New {protocol}", self.driver, protocol
                self.assertIn(form.transport, info.transports)
                place(form)
            terminal = form.record
            self.assertEqual(terminal._configuration()["options"], {})
            self.assertEqual(
                terminal.option_ids.filtered(lambda line: not line._is_of_transport()).mapped("name"),
                list(info.options),
            )
            self.assertTrue(all(line.text and line.label for line in terminal.option_ids))
            for preset in info.presets:
                with self.subTest(preset=preset.name), Form(terminal) as form:
                    form.family = f"{protocol}/{preset.name}"
                    place(form)
                told = terminal._configuration()
                self.assertEqual(told["options"], dict(preset.options))
                self.assertLessEqual(preset.transport.items(), told["transport"].items())
            terminal.unlink()

    def test_no_option_has_two_meanings(self):
        """An empty line is the standard value, so no option may have an empty text beside a standard that is none."""
        for info in PROTOCOLS.values():
            self.assertFalse(info.options.keys() & SERIAL_LINE.keys())
            for option in info.options.values():
                self.assertFalse(option.default and isinstance(option.default, str) and option.fits(""), option.name)

    def test_a_line_by_itself(self):
        self.report()
        number = self.driver.configuration_number
        register = self.terminal.option_ids.filtered(lambda line: line.name == "register")
        register.value = "09"
        self.assertEqual(self.terminal.options, {"register": "09"})
        self.assertGreater(self.driver.configuration_number, number, "the driver is told")
        for value in ("x", "123"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                register.value = value
        length = self.terminal.option_ids.filtered(lambda line: line.name == "register_length")
        register.value = "12"
        with self.assertRaisesRegex(ValidationError, "does not fit"), self.env.cr.savepoint():
            length.value = "1"
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.env["card.terminal.option"].create({"terminal_id": self.spare.id, "name": "colour", "value": "red"})

    def test_a_protocol_keeps_what_it_shares(self):
        self.terminal.options = {"register": "07", "drain": 1.5}
        self.terminal.write({"protocol": "concert-v3-serial", "device": "COM3"})
        self.assertEqual(self.terminal.options, {"register": "07"})
        self.assertFalse(self.terminal.option_ids.filtered(lambda line: line.name == "drain"))

    def test_a_copy_of_a_terminal(self):
        self.terminal.options = {"register": "07"}
        twin = self.terminal.copy({"name": "Twin", "host": "192.0.2.78"})
        self.assertEqual(twin.options, {"register": "07"})
        self.assertEqual(len(twin.option_ids), len(self.terminal.option_ids))

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
            {"id", "name", "uuid", "driver_id", "protocol", "can_cancel", "kinds", "means", "settle_at_close"},
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
