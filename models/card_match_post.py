"""Posting payouts: what a bank line pays goes from Odoo's bank suspense to the outstanding lines it pays, matched.

Each bank line's entry becomes: the bank, what it pays on each outstanding line, the fee, and what nobody can explain
in suspense. All payouts of a run are written together; Odoo's own trail of changes is kept.
"""

from collections import deque

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import formatLang
from odoo.tools.gc import disabling_gc

from .card_money import from_minor, to_minor


class CardMatch(models.Model):
    _inherit = "card.match"

    def _post(self):
        """Post these payouts, all or none."""
        if not self:
            return
        # all that a part makes lives to its end: looking for garbage meanwhile is a tenth of the work, and finds none
        with disabling_gc(), self.sudo()._card_trail() as matches:
            matches.sorted(lambda match: (match.date, match.id))._post_together()

    def _post_together(self):
        lines = self.line_ids.statement_line_id
        lines.lock_for_update(allow_referencing=True)
        for match in self:
            match._check_postable()
        plan = []  # (bank line, [values of a counterpart], [outstanding line or None])
        open_lines, parts = self._open_lines(), self._parts()
        for match in self:
            plan += match._counterparts(match._kept() + match._owed(open_lines, parts.get(match.id, [])))
        self._write_entries(plan)
        self.write({"state": "posted", "problem": False})
        for match in self.filtered(lambda match: match.fee_difference > 0):
            count = sum(match.batch_ids.mapped("payment_count"))
            match.contract_id._judge_fee(match, match.fee, match.gross, count, match.currency_id)

    def _check_postable(self):
        if gone := self.line_ids.statement_line_id.filtered("is_reconciled"):
            raise UserError(
                self.env._(
                    "Bank line “%s” has been matched otherwise meanwhile: reject this payout.", gone[0].payment_ref
                )
            )
        for line in self.line_ids.statement_line_id:
            line.move_id._check_fiscal_lock_dates()

    # What is paid -----------------------------------------------------------------------------------------------------

    def _parts(self):
        """Return {match id: [(batch id, session id, method id, minor units)]}, oldest first.

        What a batch took over has no session: there it is 0, and the batch stands for the method.
        """
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT part.match_id, part.batch_id, payment.session_id, payment.payment_method_id,
                   round(sum(payment.amount) * 10 ^ currency.decimal_places)::bigint, batch.day
              FROM card_match_batch part
              JOIN card_batch batch ON batch.id = part.batch_id
              JOIN res_currency currency ON currency.id = batch.currency_id
              JOIN pos_payment payment ON payment.card_batch_id = part.batch_id
             WHERE part.match_id = ANY(%s)
             GROUP BY part.match_id, part.batch_id, batch.day, payment.session_id, payment.payment_method_id,
                      currency.decimal_places
             UNION ALL
            SELECT part.match_id, part.batch_id, 0, part.batch_id,
                   round(batch.opening_amount * 10 ^ currency.decimal_places)::bigint, batch.day
              FROM card_match_batch part
              JOIN card_batch batch ON batch.id = part.batch_id
              JOIN res_currency currency ON currency.id = batch.currency_id
             WHERE part.match_id = ANY(%s) AND batch.opening_amount <> 0
             ORDER BY 1, 6, 2, 3, 4
            """,
            [self.ids, self.ids],
        )
        parts = {}
        for match, batch, session, method, minor, _day in self.env.cr.fetchall():
            parts.setdefault(match, []).append((batch, session, method, minor))
        return parts

    def _open_lines(self):
        """Return {(contract, session, method): [[outstanding line, its account, what is open in minor units]]}."""
        self.env.cr.execute(
            """
            SELECT payment.card_contract_id, payment.pos_session_id, payment.pos_payment_method_id, line.id,
                   line.account_id,
                   round(line.amount_residual_currency * 10 ^ currency.decimal_places)::bigint, line.date
              FROM account_payment payment
              JOIN account_move_line line
                ON line.move_id = payment.move_id AND line.account_id = payment.outstanding_account_id
              JOIN res_currency currency ON currency.id = line.currency_id
             WHERE payment.card_contract_id = ANY(%s) AND line.parent_state = 'posted' AND NOT line.reconciled
             UNION ALL
            SELECT batch.contract_id, 0, batch.id, line.id, line.account_id,
                   round(line.amount_residual_currency * 10 ^ currency.decimal_places)::bigint, line.date
              FROM account_move_line_card_batch_rel before
              JOIN card_batch batch ON batch.id = before.card_batch_id
              JOIN account_move_line line ON line.id = before.account_move_line_id
              JOIN res_currency currency ON currency.id = line.currency_id
             WHERE batch.id = ANY(%s) AND line.parent_state = 'posted' AND NOT line.reconciled
             ORDER BY 7, 4
            """,
            [self.contract_id.ids, self.batch_ids.batch_id.ids],
        )
        found = {}
        for contract, session, method, line, account, minor, _date in self.env.cr.fetchall():
            found.setdefault((contract, session, method), []).append([line, account, minor])
        return found

    def _owed(self, open_lines, parts):
        """Return [((outstanding line id, account id), minor units)] that this payout pays, taken off `open_lines`."""
        sign = 1 if self.gross >= 0 else -1
        left = {part.batch_id.id: to_minor(part.amount, self.currency_id) for part in self.batch_ids}
        owed = []
        # refunds first: what they take off is there before anything is paid
        for batch, session, method, booked in sorted(parts, key=lambda part: part[3] * sign > 0):
            minor = sign * max(0, min(abs(booked), left[batch] * sign)) if booked * sign > 0 else booked
            for line in open_lines.get((self.contract_id.id, session, method), []):
                if minor * line[2] > 0:
                    part = min(abs(minor), abs(line[2])) * (1 if minor > 0 else -1)
                    owed.append(((line[0], line[1]), part))
                    line[2] -= part
                    minor -= part
                    left[batch] -= part
        if missing := [(batch, minor) for batch, minor in left.items() if minor]:
            batch, minor = missing[0]
            raise UserError(
                self.env._(
                    "Batch %(batch)s: %(amount)s of it waits on no outstanding account. A session is not closed "
                    "yet, or it has been matched otherwise.",
                    batch=self.env["card.batch"].browse(batch).name,
                    amount=formatLang(self.env, from_minor(minor, self.currency_id), currency_obj=self.currency_id),
                )
            )
        merged = {}  # one session may hold several of these batches
        for line, minor in owed:
            merged[line] = merged.get(line, 0) + minor
        return list(merged.items())

    def _kept(self):
        """Return [((line id, account id), minor units)] of the chargebacks that this payout is lower by: negative."""
        found = [
            ((line.id, line.account_id.id), to_minor(line.amount_residual_currency, self.currency_id))
            for line in self.chargeback_ids._kept_lines()
        ]
        if -sum(minor for _line, minor in found) != to_minor(self.kept, self.currency_id):
            raise UserError(
                self.env._(
                    "The chargebacks kept from “%s” were matched otherwise meanwhile: reject this payout.", self.label
                )
            )
        return found

    # Entries ----------------------------------------------------------------------------------------------------------

    def _counterparts(self, owed):
        """Return [(bank line, [(values of a counterpart, id of the outstanding line it pays or None)])]."""
        self.ensure_one()
        currency = self.currency_id
        owed = deque(owed)
        bank_lines = self.line_ids.statement_line_id.sorted(lambda line: (line.date, line.id))
        paid = {line: to_minor(line._card_paid(), currency) for line in bank_lines}
        fees = self._fees(bank_lines, paid)
        found = []
        for line in bank_lines:
            left = paid[line] + fees[line]
            last = line == bank_lines[-1]
            entries = []
            while owed and (last or left):
                outstanding, minor = owed.popleft()
                if not last and abs(minor) > abs(left):
                    owed.appendleft((outstanding, minor - left))
                    minor = left
                left -= minor
                line_id, account_id = outstanding
                pays = {"account_id": account_id, "minor": -minor, "name": self.label or "/"}
                entries.append((pays, line_id))
            if fees[line]:
                fee_lines = self.contract_id._fee_lines(
                    from_minor(fees[line], currency), currency, line.date, self.label
                )
                entries += [(self._fee_values(values), None) for values in fee_lines]
            if left:
                entries.append((self._suspense(left), None))
            found.append((line, entries))
        return found

    def _fees(self, bank_lines, paid):
        """Return {bank line: fee in minor units}: where the bank says it, else all on the last."""
        rest = to_minor(self.fee, self.currency_id)
        fees = dict.fromkeys(bank_lines, 0)
        for line in bank_lines[:-1]:
            if line.card_gross:
                fees[line] = to_minor(line.card_gross, self.currency_id) - paid[line]
                rest -= fees[line]
        fees[bank_lines[-1]] = rest
        return fees

    def _fee_values(self, values):
        return {**{key: said for key, said in values.items() if key != "amount"},
                "minor": to_minor(values["amount"], self.currency_id)}  # fmt: skip

    def _suspense(self, minor):
        account = self.company_id.card_suspense_account_id
        if not account:
            raise UserError(
                self.env._(
                    "The bank paid %(amount)s that Odoo cannot explain. Choose an account for card money in suspense "
                    "in the settings of the Point of Sale first.",
                    amount=formatLang(self.env, from_minor(minor, self.currency_id), currency_obj=self.currency_id),
                )
            )
        name = self.env._("Not explained: %s", self.label)
        return {"account_id": account.id, "minor": -minor, "name": name}

    def _write_entries(self, plan):
        """Put the counterparts in the place of the suspense lines, and match them with what they pay."""
        all_lines = self.env["account.move.line"].sudo()
        moves = self.env["account.move"].sudo().browse([line.move_id.id for line, _entries in plan])
        suspense, values, pays = all_lines, [], []
        for line, entries in plan:
            _liquidity, own_suspense, others = line.sudo()._seek_for_lines()
            if others or len(own_suspense) != 1:
                raise UserError(
                    self.env._("Bank line “%s” is matched in part already: undo that first.", line.payment_ref)
                )
            suspense += own_suspense
            values += self._entry_values(line, own_suspense, entries)
            pays += [outstanding for _entry, outstanding in entries]
        container = {"records": moves}
        # the bank's side stays as it is: there is nothing to bring back to the bank lines
        quiet = {"force_delete": True, "skip_readonly_check": True, "skip_account_move_synchronization": True}
        if not self.env["account.analytic.distribution.model"].search_count([], limit=1):
            quiet["skip_analytic_sync"] = True  # nothing is spread where no rule says so
            values = [{**entry, "analytic_distribution": False} for entry in values]
        with moves._check_balanced(container), moves._sync_dynamic_lines(container):
            suspense.with_context(**quiet).unlink()
            created = all_lines.with_context(**quiet).create(values)
            for match in self:
                match.with_context(**quiet)._name_entries()
        paid = created.ids + [outstanding for outstanding in pays if outstanding]
        pairs = [
            all_lines.browse((line.id, outstanding)).with_prefetch(paid)
            for line, outstanding in zip(created, pays, strict=True)
            if outstanding
        ]
        all_lines._reconcile_plan(pairs)

    def _name_entries(self):
        """Put the batches' numbers on the bank's entries: exports and people look for them there."""
        numbers = [
            batch.number or batch.name for batch in self.batch_ids.batch_id.sorted(lambda batch: (batch.day, batch.id))
        ]
        shown = ", ".join(numbers[:3]) + (" …" if len(numbers) > 3 else "")
        moves = self.line_ids.statement_line_id.move_id
        moves.write({"ref": shown})
        moves._write_guarded({"card_contract_id": self.contract_id.id})

    def _entry_values(self, line, waiting, entries):
        """Return the values of what takes the place of a bank line's suspense, balanced to the cent in both currencies.

        The rate is the bank's: what it differs from the rate of the sale Odoo books when the lines are matched.
        """
        company_currency, currency = line.company_id.currency_id, waiting.currency_id
        rate = waiting.balance / waiting.amount_currency
        found, rest = [], to_minor(waiting.balance, company_currency)
        for place, (entry, _outstanding) in enumerate(entries, 1):
            amount = from_minor(entry["minor"], currency)
            minor = to_minor(company_currency.round(amount * rate), company_currency)
            minor = rest if place == len(entries) else minor
            rest -= minor
            found.append({
                "tax_ids": [],  # none but what the entry says, whatever the account suggests
                **{key: said for key, said in entry.items() if key != "minor"},
                "move_id": line.move_id.id,
                "partner_id": line.partner_id.id,
                "currency_id": currency.id,
                "amount_currency": amount,
                "balance": from_minor(minor, company_currency),
            })  # fmt: skip
        return found

    # Undo -------------------------------------------------------------------------------------------------------------

    def action_undo(self):
        """Take posted payouts back to accepted, while nothing is locked. The bank lines are open again."""
        self._check_accountant()
        posted = self.filtered(lambda match: match.state == "posted")
        for line in posted.line_ids.statement_line_id:
            line.move_id._check_fiscal_lock_dates()
            line.move_id.line_ids._check_tax_lock_date()
        posted.line_ids.statement_line_id.sudo().with_context(dynamic_unlink=True).action_undo_reconciliation()
        posted.sudo().write({"state": "accepted"})
        (self - posted).filtered(lambda match: match.state == "queued").sudo().write({"state": "accepted"})
