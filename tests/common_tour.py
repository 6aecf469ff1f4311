"""Tours of the point of sale against the real driver process and real terminals' bytes.

Driver and virtual terminals are processes of their own; the driver reports to the test's Odoo while the browser runs
(Odoo answers it from the test's transaction) and after it (`delivered`). A tour does with the terminals what a person
in the shop would, through `http://shop.test/<who>/<what>/<argument>`, which `fetch_proxy` answers.
"""

import ctypes
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from odoo import http, tools
from odoo.addons.point_of_sale.tests.test_frontend import TestPointOfSaleHttpCommon
from odoo.tests.common import ChromeBrowser

MODULE = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
START_SECONDS = 20
PR_SET_PDEATHSIG = 1


class Program:
    """One process of `python -m hw_driver`; what it prints goes to `log`."""

    def __init__(self, name, arguments, folder):
        self.name = name
        self.arguments = arguments
        self.log = folder / f"{name}.log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hw_driver", *self.arguments],
                cwd=MODULE,
                env={**os.environ, "PYTHONPATH": str(MODULE)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=end_with_parent,  # noqa: PLW1509 (it only makes one system call)
            )

    def stop(self):
        if self.process:
            self.process.kill()  # as a power cut would
            self.process.wait()
            self.process = None


class VirtualTerminal(Program):
    """A virtual CONCERT V3 terminal, with what a cardholder and the bank can do."""

    def __init__(self, name, folder):
        self.port, self.web = free_port(), free_port()
        arguments = ["virtual", "concert-v3", "--port", str(self.port), "--web", str(self.web)]
        super().__init__(name, [*arguments, "--ledger", str(folder / f"{name}.jsonl")], folder)

    def start(self):  # pylint: disable=missing-return
        super().start()
        wait_until(lambda: self.state() is not None, f"{self.name} to start (see {self.log})")

    def card(self, name="contactless"):
        self._post("card", {"card": name})

    def key(self, name):
        self._post("key", {"key": name})

    def fault(self, name):
        self._post("faults", {name: "once"})

    def state(self):
        try:
            return self._get("state")
        except OSError:
            return None

    @property
    def charges(self):
        """What it charged and gave back: [(kind, minor units)]."""
        return [(entry["kind"], entry["amount"]) for entry in self._get("ledger")["entries"] if entry["amount"]]

    def _get(self, what):
        with urllib.request.urlopen(f"http://{HOST}:{self.web}/api/{what}", timeout=10) as answer:
            return json.load(answer)

    def _post(self, what, body):
        request = urllib.request.Request(
            f"http://{HOST}:{self.web}/api/{what}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


class CardTourCase(TestPointOfSaleHttpCommon):
    """A French shop with a card method, a driver and two terminals: Counter (the default) and Spare."""

    country_code = "FR"

    def setUp(self):
        super().setUp()
        self.odoo_listens = False
        self.folder = Path(tempfile.mkdtemp(prefix="card_tour_", dir=tools.config["data_dir"]))
        self.addCleanup(shutil.rmtree, self.folder)
        self.counter = self.open_terminal("counter")
        self.spare = self.open_terminal("spare")
        self.shop = {"counter": self.counter, "spare": self.spare}
        self.set_up_odoo(counter=self.counter.port, spare=self.spare.port)
        command = ["serve", "--config", str(self.driver_file())]
        self.driver = self.shop["driver"] = Program("driver", command, self.folder)
        self.addCleanup(self.driver.stop)
        self.driver.start()
        self.driver_takes_configuration()

    def open_terminal(self, name):
        terminal = VirtualTerminal(name, self.folder)
        self.addCleanup(terminal.stop)
        terminal.start()
        return terminal

    def replay_terminal(self, behaviour):
        """Put the independent terminal in the place of the default one; its ledger is the truth about charges."""
        path = MODULE / "tests" / "driver" / "replay" / "terminal.py"
        spec = importlib.util.spec_from_file_location("replay_terminal", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        terminal = self.enterContext(module.ReplayTerminal(behaviour))
        self.shop["replay"] = terminal
        self.env["card.terminal"].search([("name", "=", "Counter")]).port = terminal.port
        self.driver_takes_configuration()
        return terminal

    def set_up_odoo(self, **ports):
        self.card = self.env["pos.payment.method"].create({
            "name": "Card",
            "payment_method_type": "terminal",
            "use_payment_terminal": "card_terminal",
            "journal_id": self.bank_journal.id,
        })  # fmt: skip
        self.driver_port = free_port()
        self.driver_record = self.env["card.terminal.driver"].create({
            "name": "Till", "url": f"http://{HOST}:{self.driver_port}", "origins": self.base_url(),
        })  # fmt: skip
        reached = {"driver_id": self.driver_record.id, "protocol": "concert-v3", "host": HOST}
        terminals = self.env["card.terminal"].create(
            [{**reached, "name": name.title(), "port": port} for name, port in ports.items()]
        )
        self.main_pos_config.write({
            "payment_method_ids": [(4, self.card.id)],
            "card_terminal_id": terminals[0].id,
            "card_terminal_spare_ids": [(6, 0, terminals[1:].ids)],
            "card_terminal_training": True,  # a virtual terminal's approvals are booked here
        })  # fmt: skip
        self.main_pos_config.with_user(self.pos_user).open_ui()
        self.pos_session = self.main_pos_config.current_session_id

    def driver_file(self):
        self.driver_record.action_new_key()
        self.grant, _ = self.driver_record._session_grant(self.pos_session)
        text = self.driver_record._driver_toml().replace("[driver]\n", f'[driver]\nstate = "{self.folder}/driver"\n')
        path = self.folder / "driver.toml"
        path.touch(0o600)
        path.write_text(f"{text}heartbeat = 0.5\n", encoding="utf-8")
        (self.folder / "driver").mkdir(mode=0o700)
        return path

    # The driver and Odoo ------------------------------------------------------------------------------------------

    def ask_driver(self, path):
        """Return the driver's JSON, as the till's browser gets it."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.driver_port}{path}", headers={"Authorization": f"Bearer {self.grant}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def driver_takes_configuration(self):
        wanted = {terminal.uuid: terminal.port for terminal in self.driver_record.terminal_ids}

        def taken():
            try:
                told = self.ask_driver("/v1/terminals")["terminals"]
            except OSError:
                return False
            return {terminal["id"]: terminal["transport"]["port"] for terminal in told} == wanted

        self.while_odoo_listens(taken, "the driver to take its configuration")

    def delivered(self):
        """Wait until Odoo has every event of the driver, and return the transactions, oldest first."""

        def acked():
            health = self.ask_driver("/v1/health")
            return health["odoo"]["acked"] == health["last"]

        self.while_odoo_listens(acked, "the driver to report")
        return self.env["card.transaction"].search([("session_id", "=", self.pos_session.id)], order="id")

    def while_odoo_listens(self, condition, what):
        """Wait while the driver and Odoo talk; `condition` leaves the database to Odoo's threads."""
        self.env.flush_all()
        with self.allow_requests():
            self.odoo_listens = True
            try:
                wait_until(condition, f"{what} (see {self.driver.log})")
            finally:
                self.odoo_listens = False
        self.env.invalidate_all()

    def assertCanOpenTestCursor(self):  # pylint: disable=missing-return
        """Let the driver in, which has no test cookie, while the test itself leaves the cursor alone."""
        path = http.request.httprequest.path if http.request else ""
        if not self.odoo_listens or path != "/card_terminal/v1/events":
            super().assertCanOpenTestCursor()

    # The tour and the shop ----------------------------------------------------------------------------------------

    def tour(self, name, **options):
        """Run a tour; the driver may report to Odoo from the moment the page is opened."""
        navigate_to = ChromeBrowser.navigate_to

        def listen_and_navigate(browser, *args, **kwargs):
            self.odoo_listens = True
            return navigate_to(browser, *args, **kwargs)

        with patch.object(ChromeBrowser, "navigate_to", listen_and_navigate):
            try:
                self.start_pos_tour(name, timeout=180, **options)
            finally:
                self.odoo_listens = False
        self.env.invalidate_all()

    def fetch_proxy(self, url):
        """Do for a tour what a person would: http://shop.test/counter/card/contactless, http://shop.test/driver/stop."""
        if not url.startswith("http://shop.test/"):
            return super().fetch_proxy(url)
        who, what, *arguments = url.removeprefix("http://shop.test/").split("/")
        if what == "behave":
            self.shop[who].behaviour = arguments[0]
        else:
            getattr(self.shop[who], what)(*arguments)
        return self.make_fetch_proxy_response("{}")

    def orders(self):
        return self.env["pos.order"].search([("session_id", "=", self.pos_session.id)], order="id")


def end_with_parent():
    """Let the kernel end this process when the tests end, however they end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with closing(socket.create_server((HOST, 0))) as listener:
        return listener.getsockname()[1]


def wait_until(condition, what):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.1)
