"""Every way into the addon, enumerated: HTTP routes from the routing map, methods and models from the registry.

What is not in these tables fails the tests: whoever adds a way in says here who may use it.
"""

import base64
import contextlib
import json

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import KEY, signature
from .common_people import PEOPLE, PeopleCase
from .ways_in import ACCESS, ADDON, DIALOGS, EXTENDED, METHODS, NO_SECRETS, ORM, ROUTES, SOUNDS_SECRET

READ, CHANGE = "read", ("write", "create", "unlink")


def of_addon(env):
    """Yield (model, the addon's classes in it)."""
    for name in env.registry:
        classes = [cls for cls in env.registry[name].mro() if cls.__module__.startswith(ADDON)]
        if classes:
            yield env[name], classes


@tagged("post_install", "-at_install")
class TestRemoteCalls(PeopleCase):
    def as_each(self):
        """Yield (name, environment) of each person."""
        for name in PEOPLE:
            user = self.people[name]
            yield name, self.env(user=user.id, context={"allowed_company_ids": user.company_ids.ids})

    def attempt(self, model, method, arguments, context):
        """Call over RPC and undo it; return whether access was refused."""
        try:
            with self.env.cr.savepoint() as point, mute_logger("odoo.models", "odoo.addons.base.models.ir_rule"):
                try:
                    call_kw(model, method, list(arguments), {"context": context})
                finally:
                    self.env.flush_all()
                    point.rollback()
        except AccessError:
            return "refused"
        except UserError:
            return "let in"
        return "let in"

    def dialog(self, env, model):
        """Return a dialog as this person may have opened it; somebody else's where they may not."""
        mine = env[model] if env[model].has_access("create") else self.env[model]
        values = DIALOGS[model](self)
        record = mine.create({name: value for name, value in values.items() if mine._fields[name].type != "many2many"})
        record.sudo().write(values)
        return record

    def test_dialogs_do_nothing_to_what_a_person_may_not_see(self):
        stranger = self.env(user=self.people["stranger"].id)
        for model, method in (
            ("card.notice.done", "action_done"),
            ("card.exception.acknowledge", "action_acknowledge"),
        ):
            with self.assertRaises(AccessError):
                getattr(self.dialog(stranger, model), method)()
        export = self.dialog(stranger, "card.transaction.export")
        export.action_export()
        self.assertEqual(self.records()["card.notice"].state, "open")
        self.assertTrue(self.loose.needs_attention)
        self.assertEqual(len(base64.b64decode(export.content).splitlines()), 1, "the heading alone")

    def test_every_method_has_a_row(self):
        found = set()
        for model, classes in of_addon(self.env):
            for name in {name for cls in classes for name in vars(cls)} - ORM:
                try:
                    get_public_method(model, name)
                except (AccessError, AttributeError):
                    continue
                found.add((model._name, name))
        self.assertEqual(found, METHODS.keys() | EXTENDED)

    def test_who_may_call_each(self):
        records = self.records()
        for (model, method), row in METHODS.items():
            for name, env in self.as_each():
                with self.subTest(model=model, method=method, user=name):
                    record = self.dialog(env, model) if model in DIALOGS else records[model]
                    arguments = (record.ids, *row.arguments)
                    if getattr(getattr(type(env[model]), method), "_api_model", False):
                        arguments = row.arguments
                    expected = "let in" if name in row.who.split() else "refused"
                    self.assertEqual(self.attempt(env[model], method, arguments, row.context), expected)

    def test_who_may_read_and_write_each_model(self):
        own = {model._name for model, _classes in of_addon(self.env) if model._original_module == "pos_card_terminal"}
        self.assertEqual({name for name in own if not self.env[name]._abstract}, set(ACCESS))
        for model, (readers, writers) in ACCESS.items():
            for name, env in self.as_each():
                role = "manager" if name == "stranger" else name
                with self.subTest(model=model, user=name):
                    self.assertEqual(env[model].has_access(READ), role in readers.split())
                    for operation in CHANGE:
                        self.assertEqual(env[model].has_access(operation), role in writers.split(), operation)

    def test_no_record_is_another_companys(self):
        stranger = self.env(user=self.people["stranger"].id)
        for model, record in self.records().items():
            if model not in ACCESS:
                continue
            with self.subTest(model):
                self.assertTrue(record)
                reader = "manager" if "manager" in ACCESS[model][0] else "accountant"
                self.assertTrue(record.with_user(self.people[reader]).search([("id", "in", record.ids)]))
                if stranger[model].has_access(READ):
                    self.assertFalse(stranger[model].search([("id", "in", record.ids)]))
                for operation in (READ, *CHANGE):
                    self.assertFalse(record.with_env(stranger).has_access(operation), operation)

    def test_an_accountant_of_another_company(self):
        """What accountants may do, to nothing of ours: not read, not changed, and not by a dialog about it."""
        foreigner = new_test_user(
            self.env, "card_foreigner", "base.group_user,account.group_account_manager",
            company_id=self.other_company.id, company_ids=[(6, 0, self.other_company.ids)],
        )  # fmt: skip
        env = self.env(user=foreigner.id, context={"allowed_company_ids": self.other_company.ids})
        records = self.records()
        for model, record in records.items():
            if model in ACCESS and "accountant" in ACCESS[model][0]:
                with self.subTest(model):
                    self.assertFalse(env[model].search([("id", "in", record.ids)]))
                    for operation in (READ, *CHANGE):
                        with contextlib.suppress(AccessError):  # of what another company's accounts hold
                            self.assertFalse(record.with_env(env).has_access(operation), operation)
        for (model, method), row in METHODS.items():
            if row.who != "accountant" or model in DIALOGS:
                continue
            with self.subTest(model=model, method=method):
                if not getattr(getattr(type(env[model]), method), "_api_model", False):
                    self.assertEqual(self.attempt(env[model], method, (records[model].ids,), {}), "refused")
        for model, values in DIALOGS.items():
            methods = [method for (name, method), row in METHODS.items() if name == model and row.who == "accountant"]
            if model != "card.open.item.at":  # is about no company
                for method in methods:
                    with self.subTest(dialog=model), self.assertRaises(AccessError), self.env.cr.savepoint():
                        getattr(env[model].create(values(self)), method)()

    def test_what_sounds_like_a_secret_is_for_the_system_alone(self):
        for model, _classes in of_addon(self.env):
            for field in model._fields.values():
                full = f"{model._name}.{field.name}"
                parts = field.name.split("_")
                ours = "pos_card_terminal" in (field._modules or ()) and field.type in (
                    "char",
                    "text",
                    "json",
                    "binary",
                )
                if ours and full not in NO_SECRETS and any(word in parts for word in SOUNDS_SECRET):
                    with self.subTest(full):
                        readable = [name for name, env in self.as_each() if model.with_env(env).has_access(READ)]
                        self.assertTrue(field.groups in ("base.group_system", ".") or not readable)

    def test_the_key_is_nowhere_to_be_read(self):
        """Every reader reads all there is, in every way there is."""
        self.records()
        for name, env in self.as_each():
            for model in ACCESS:
                if not env[model].has_access(READ):
                    continue
                with self.subTest(user=name, model=model):
                    found = env[model].search([])
                    names = [field for field in env[model].fields_get() if field != "id"]
                    told = [found.read(), found.web_read({field: {} for field in names})]
                    with contextlib.suppress(AccessError):  # names of records that are not theirs to open
                        told.append(found.export_data(names))
                    self.assertNotIn(KEY, repr(told))
        for name in ("cashier", "manager"):
            loaded = self.pos_session.with_user(self.people[name]).load_data([])
            self.assertIn(self.driver.uuid, repr(loaded))
            self.assertNotIn(KEY, repr(loaded))

    def test_the_key_cannot_be_asked_about(self):
        """Neither by searching, ordering, grouping nor exporting, nor through another model."""
        for name in ("cashier", "accountant", "manager"):
            env = self.env(user=self.people[name].id)
            drivers, terminals = env["card.terminal.driver"], env["card.terminal"]
            for what, call in {
                "search": lambda d=drivers: d.search([("key", "=like", "5a%")]),
                "order": lambda d=drivers: d.search([], order="key"),
                "group": lambda d=drivers: d.formatted_read_group([], ["key"], ["__count"]),
                "export": lambda d=drivers: d.search([]).export_data(["key"]),
                "through": lambda t=terminals: t.search([("driver_id.key", "=like", "5a%")]),
                "through export": lambda t=terminals: t.search([]).export_data(["driver_id/key"]),
                "write": lambda d=drivers: d.search([]).write({"key": KEY}),
            }.items():
                with self.subTest(user=name, what=what), self.env.cr.savepoint(), self.assertRaises(AccessError):
                    call()


@tagged("post_install", "-at_install")
class TestHttpRoutes(PeopleCase, HttpCase):
    def rules(self):
        """Return {path: endpoint} of the addon's routes in the routing map."""
        router = self.env["ir.http"]
        rules = router._generate_routing_rules(sorted(self.env.registry._init_modules), router._get_converters())
        return {path: endpoint for path, endpoint in rules if endpoint.original_endpoint.__module__.startswith(ADDON)}

    def test_every_route_has_a_row(self):
        rules = self.rules()
        self.assertEqual(rules.keys(), ROUTES.keys())
        for path, row in ROUTES.items():
            routing = rules[path].routing
            with self.subTest(path):
                self.assertEqual(routing["auth"], row.auth)
                self.assertEqual(tuple(routing["methods"] or ()), row.methods)
                self.assertEqual(routing["type"], row.type)
                self.assertEqual(routing.get("csrf", row.type == "http"), row.csrf)
                self.assertFalse(routing.get("cors"), "no page of another site may call")

    def call(self, row, method=None, **changes):
        verb, path, body = row.call
        url = path.format(driver=self.driver.id)
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        with mute_logger("odoo.http", "werkzeug", "odoo.addons.base.models.ir_rule"):
            return self.url_open(
                url, data=data, headers=headers, method=method or verb, allow_redirects=False, **changes
            )

    def test_who_gets_in(self):
        for path, row in ROUTES.items():
            for name in ("anonymous", *PEOPLE):
                with self.subTest(path=path, user=name):
                    user = self.people.get(name)
                    self.authenticate(user and user.login, user and user.login)
                    answer = self.call(row)
                    self.assertIn(answer.status_code, row.answers.get(name, row.refused))
                    self.assertEqual(KEY in answer.text, row.answers.get(name) == (200,) and path.endswith(".toml"))
                    self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

    def test_no_other_verb(self):
        self.authenticate("card_manager", "card_manager")
        for path, row in ROUTES.items():
            for verb in {"GET", "POST", "PUT", "DELETE", "PATCH"} - set(row.methods):
                with self.subTest(path=path, verb=verb):
                    self.assertEqual(self.call(row, method=verb).status_code, 405)

    def post_events(self, body, **changes):
        raw = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Card-Terminal-Driver": self.driver.uuid,
            "X-Card-Terminal-Signature": signature(raw),
            **changes,
        }
        headers = {name: value for name, value in headers.items() if value is not None}
        with mute_logger("odoo.addons.pos_card_terminal.controllers.events"):
            return self.url_open("/card_terminal/v1/events", data=raw, headers=headers)

    def test_only_the_paired_driver_reports(self):
        twin = self.env["card.terminal.driver"].create({"name": "Elsewhere", "company_id": self.other_company.id})
        twin.key = "6b" * 32
        payload = self.journal.payload(self.driver.last_seq + 1)
        raw = json.dumps(payload).encode()
        forged = {
            "no signature": {"X-Card-Terminal-Signature": None},
            "no driver": {"X-Card-Terminal-Driver": None},
            "another key": {"X-Card-Terminal-Signature": signature(raw, key="00" * 32)},
            "another driver's key": {"X-Card-Terminal-Signature": signature(raw, key=twin.key)},
            "another driver's name": {"X-Card-Terminal-Driver": twin.uuid},
            "a driver nobody knows": {"X-Card-Terminal-Driver": "x"},
            "a signature of the past": {"X-Card-Terminal-Signature": signature(raw, at=1)},
            "another body's signature": {"X-Card-Terminal-Signature": signature(b"{}")},
            "rubbish": {"X-Card-Terminal-Signature": "t=é,v1=%"},
        }
        before = self.env["card.transaction.event"].search_count([])
        for what, headers in forged.items():
            with self.subTest(what):
                self.assertEqual(self.post_events(payload, **headers).status_code, 401)
        other_body = {**payload, "driver": twin.uuid}
        self.assertEqual(self.post_events(other_body).status_code, 400)
        self.assertEqual(self.post_events({**payload, "database_uuid": "another"}).status_code, 409)
        self.assertEqual(self.env["card.transaction.event"].search_count([]), before)
        self.assertEqual(self.post_events(payload).status_code, 200)

    def test_a_report_replayed_changes_nothing(self):
        self.journal.add("driver_started")
        payload = self.journal.payload(self.driver.last_seq + 1)
        self.assertEqual(self.post_events(payload).json()["acked"], len(self.journal.events))
        before = self.env["card.transaction.event"].search_count([])
        self.assertEqual(self.post_events(payload).json()["acked"], len(self.journal.events))
        self.assertEqual(self.env["card.transaction.event"].search_count([]), before)
        self.assertFalse(self.driver.alarm)
