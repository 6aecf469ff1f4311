"""What `dev/bench reconcile` runs inside Odoo's Python, each step in a process of its own: prints one JSON object.

python -m benchmarks.reconcile_odoo CONFIG DATABASE STEP, where STEP is
prepare | import | seed SIZE | find | truth | accept | own COUNT | post [PARTS] | state
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import reconcile_seed

AT_ONCE = 200


def main(config: str, database: str, step: str, *words: str) -> None:
    """Run one step and print what came of it."""
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config as settings

    settings.parse_config(["--config", config, "--database", database, "--no-http"], setup_logging=True)
    with Registry(database).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        worked = _processor(cr)
        before, began, at_first = _memory(), time.monotonic(), worked()
        found = STEPS[step](env, *words)
        env.flush_all()
        seconds = time.monotonic() - began
        processor, queued = (now - then for now, then in zip(worked(), at_first, strict=True))
        spent = {"seconds": seconds, "processor": processor, "queued": queued}
        found = {**spent, "loaded": before, "memory": _memory(), **found}
        cr.commit()
    print(json.dumps(found))


def _memory() -> float:
    """Return the most memory this process has used, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor(cr: Any) -> Callable[[], tuple[float, float]]:
    """Return what tells the seconds that this process and its PostgreSQL server have worked, and waited for their turn.

    proc(5), /proc/[pid]/schedstat: nanoseconds on a processor, and ready to run without one.
    """
    cr.execute("SELECT pg_backend_pid()")
    both = (Path("/proc/self/schedstat"), Path(f"/proc/{cr.fetchone()[0]}/schedstat"))

    def worked() -> tuple[float, float]:
        told = [[int(each) for each in file.read_text().split()[:2]] for file in both if file.exists()]
        return sum(on for on, _ready in told) / 1e9, sum(ready for _on, ready in told) / 1e9

    return worked


def prepare(env: Any) -> dict[str, Any]:
    reconcile_seed.prepare(env)
    return {}


def seed(env: Any, size: str) -> dict[str, Any]:
    reconcile_seed.fill(env, int(size))
    env.cr.execute("ANALYZE")
    env.cr.execute("SELECT count(*) FROM pos_payment WHERE card_batch_id IS NOT NULL")
    return {"payments": env.cr.fetchone()[0]}


def bring(env: Any) -> dict[str, Any]:
    """Import the bank's file through the wizard."""
    _batches, payouts = reconcile_seed.plan()
    file = env["ir.attachment"].create({"name": "bench.xml", "raw": reconcile_seed.statement(payouts)})
    wizard = env["card.statement.import"].create({"attachment_ids": [(6, 0, file.ids)]})
    wizard.action_import()
    return {"lines": wizard.added}


def find(env: Any) -> dict[str, Any]:
    """Look for payouts, links stored."""
    return {"states": env["card.match"]._find(env["card.contract"].search([]))}


def truth(env: Any) -> dict[str, Any]:
    """Compare what was proposed with what is so."""
    _batches, payouts = reconcile_seed.plan()
    env.cr.execute(
        """
        SELECT match.id, match.state,
               (SELECT array_agg(line.card_reference ORDER BY line.card_reference)
                  FROM card_match_line part JOIN account_bank_statement_line line ON line.id = part.statement_line_id
                 WHERE part.match_id = match.id),
               (SELECT array_agg(replace(batch.name, 'BENCH/', '')::int ORDER BY batch.id)
                  FROM card_match_batch part JOIN card_batch batch ON batch.id = part.batch_id
                 WHERE part.match_id = match.id),
               (SELECT count(*) FROM card_match_payment_rel link WHERE link.match_id = match.id)
          FROM card_match match
        """
    )
    so = {
        tuple(sorted(f"{payout.name}K{place}" for place in range(len(payout.credits)))): [
            batch.number for batch in payout.batches
        ]
        for payout in payouts
    }
    undecidable = {f"{payout.name}K0" for payout in payouts if payout.ambiguous}
    right = wrong = guessed = links = 0
    for _match, state, lines, batches, linked in env.cr.fetchall():
        if state == "ambiguous":
            continue
        links += linked
        if undecidable & set(lines):
            guessed += 1
        elif so.get(tuple(lines)) == sorted(batches):
            right += 1
        else:
            wrong += 1
    return {"right": right, "wrong": wrong, "guessed": guessed, "links": links, "payouts": len(payouts),
            "undecidable": len(undecidable)}  # fmt: skip


def accept(env: Any) -> dict[str, Any]:
    matches = env["card.match"].search([("state", "=", "proposed")])
    matches.action_accept()
    matches.write({"state": "queued"})
    return {"accepted": len(matches)}


def post(env: Any, kill_after: str = "0") -> dict[str, Any]:
    """Post what waits, in parts as the cron does; killed after so many parts where that is said."""
    parts, posted = 0, 0
    while waiting := env["card.match"].search([("state", "=", "queued")], order="date, id", limit=AT_ONCE):
        waiting._post()
        env.flush_all()
        parts += 1
        if parts == int(kill_after):  # written, not committed
            os.kill(os.getpid(), signal.SIGKILL)
        env.cr.commit()
        env.invalidate_all()
        posted += len(waiting)
    return {"posted": posted}


def own(env: Any, count: str) -> dict[str, Any]:
    """Match some payouts as Odoo's own methods do it, one by one, and undo all of it."""
    matches = (
        env["card.match"]
        .search(
            [("state", "=", "queued"), ("fee", "=", 0), ("found_by", "in", ("amount", "reference"))], limit=int(count)
        )
        .filtered(lambda match: len(match.line_ids) == 1 and len(match.batch_ids) == 1)
    )
    began = time.monotonic()
    for match in matches:
        line = match.line_ids.statement_line_id
        account = match.contract_id.outstanding_account_id
        _liquidity, suspense, _others = line._seek_for_lines()
        suspense.with_context(skip_readonly_check=True).account_id = account
        waiting = env["account.move.line"].search([
            ("account_id", "=", account.id), ("reconciled", "=", False), ("balance", "=", match.gross),
            ("date", "=", match.batch_ids.batch_id.day),
        ])  # fmt: skip
        (suspense + waiting).reconcile()
        env.flush_all()
    each = (time.monotonic() - began) / len(matches)
    settled = all(matches.line_ids.statement_line_id.mapped("is_reconciled"))
    env.cr.rollback()
    ours = env["card.match"].browse(matches.ids)
    began = time.monotonic()
    ours._post()
    env.flush_all()
    mine = (time.monotonic() - began) / len(ours)
    env.cr.rollback()
    env.invalidate_all()
    return {"count": len(matches), "own": each, "ours": mine, "settled": settled}


def state(env: Any) -> dict[str, Any]:
    """Return what lies on the outstanding accounts, and what the trail of changes says."""
    env.cr.execute("SELECT state, count(*) FROM card_match GROUP BY state")
    states = dict(env.cr.fetchall())
    env.cr.execute(
        """
        SELECT count(*) FROM account_move_line line JOIN card_contract contract
            ON contract.outstanding_account_id = line.account_id
         WHERE NOT line.reconciled AND line.move_name LIKE 'BENCH/%%'
        """
    )
    (unpaid,) = env.cr.fetchone()
    env.cr.execute("SELECT count(*) FROM mail_tracking_value")
    return {"states": states, "open": unpaid, "tracked": env.cr.fetchone()[0],
            "settled": len(env["card.match"].search([("state", "=", "posted")]).filtered("settled"))}  # fmt: skip


STEPS = {
    "prepare": prepare,
    "import": bring,
    "seed": seed,
    "find": find,
    "truth": truth,
    "accept": accept,
    "post": post,
    "own": own,
    "state": state,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
