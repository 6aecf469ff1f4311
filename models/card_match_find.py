"""Finding which bank lines pay which batches: deterministic passes, all in SQL, over tables made for one run.

1. The batch's number in the label, and the sums agree.
2. Contract, days and sums, every shape at once: one batch by one line; one by several neighbouring lines; neighbouring
   days of one terminal by one line; neighbouring days of all terminals of a contract by one line.
3. One batch by one line that pays what the terminal declared, where Odoo counted otherwise; or the shapes of 2 by one
   line that is lower by chargebacks which the acquirer keeps.

A candidate is proposed where it shares no bank line and no batch with another of its pass; else all of them are listed
as ambiguous, and what they want is left alone by later passes. Money is counted in minor units.
"""

import re

from odoo import api, fields, models
from odoo.tools import SQL

from .card_match import HOLDING
from .card_match_sql import DUES, KEPT, LINES, PASSES, TABLES
from .card_match_store import AMBIGUITY, STORE

WORD = re.compile(r"[0-9A-Za-z]+")


class CardMatch(models.Model):
    _inherit = "card.match"

    @api.model
    def _cron_find(self):
        """Look for payouts of all contracts (cron)."""
        self._find(self.env["card.contract"].search([("bank_journal_id", "!=", False)]))

    @api.model
    def _find(self, contracts):
        """Propose payouts of these contracts, in one transaction. Returns {state: number}."""
        contracts = contracts.filtered("bank_journal_id")
        if not contracts:
            return {}
        # one at a time: two runs would each propose the same
        contracts.bank_journal_id.sorted("id").lock_for_update(allow_referencing=True)
        self.search([("contract_id", "in", contracts.ids), ("state", "not in", HOLDING)]).unlink()
        self.env.flush_all()
        run = self.env.cr.execute
        for table in TABLES:
            run(table)
        self._load_contracts(contracts)
        self._load_lines(contracts)
        for step in (*DUES, KEPT, *PASSES, AMBIGUITY, *STORE):
            run(step, {"holding": list(HOLDING), "user": self.env.uid, "now": fields.Datetime.now()})
        self.env.invalidate_all()
        self.env.cr.execute("SELECT state, count(*) FROM match_found GROUP BY state")
        return dict(self.env.cr.fetchall())

    @api.model
    def _load_contracts(self, contracts):
        rows = [
            (
                contract.id,
                contract.company_id.id,
                contract.bank_journal_id.id,
                net := contract.settlement == "net",
                contract.fee_rate * net,
                contract.fee_fixed * net,
                contract.tolerance * net,
                contract.days_min,
                contract.days_max,
            )
            for contract in contracts
        ]
        columns = "id company journal net rate fixed tolerance days_min days_max"
        self._fill("match_contract", columns, rows)

    @api.model
    def _load_lines(self, contracts):
        """Copy the bank lines nobody has matched, and which contracts each may be of."""
        self.env.cr.execute(LINES, [contracts.bank_journal_id.ids, list(HOLDING)])
        lines, words, may_be = [], [], []
        of_journal = contracts.grouped(lambda contract: contract.bank_journal_id.id)
        tests = {contract: _label_test(contract) for contract in contracts}
        for line, journal, currency, date, amount, gross, digits, label in self.env.cr.fetchall():
            lines.append((line, journal, currency, date, amount, gross, digits, (label or "")[:200]))
            words += [(line, word) for word in {_bare(word) for word in WORD.findall(label or "")} if word]
            named = [contract for contract in of_journal[journal] if tests[contract](label or "")]
            silent = [contract for contract in of_journal[journal] if not contract.label_pattern]
            may_be += [(line, contract.id, bool(named)) for contract in named or silent]
        self._fill("match_line", "id journal currency date amount gross digits label", lines)
        self._fill("match_word", "line word", words)
        self._fill("match_may_be", "line contract named", may_be)

    @api.model
    def _fill(self, table, columns, rows):
        if rows:
            names = SQL(", ").join(SQL.identifier(name) for name in columns.split())
            values = SQL(", ").join(rows)
            self.env.cr.execute(SQL("INSERT INTO %s (%s) VALUES %s", SQL.identifier(table), names, values))


def _bare(word):
    return word.upper().lstrip("0")


def _label_test(contract):
    """Return a function that tells whether a label names a contract: by its pattern, number or acquirer."""
    pattern = contract.label_pattern and re.compile(contract.label_pattern, re.IGNORECASE)
    number = "".join(filter(str.isalnum, contract.number or "")).lstrip("0").upper()
    acquirer = contract.acquirer and re.compile(rf"\b{re.escape(contract.acquirer)}\b", re.IGNORECASE)

    def names(label):
        if pattern:
            return bool(pattern.search(label))
        return bool(
            (len(number) >= 4 and number in label.upper().replace(" ", "")) or (acquirer and acquirer.search(label))
        )

    return names
