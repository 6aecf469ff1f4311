"""The statements of `card_match_find`. Amounts are minor units (bigint); days are dates.

``holding`` are the states of payouts that keep their lines and batches. Put together of constants alone.
"""
# ruff: noqa: S608

#: Days and batches that one credit may pay at most, and how far apart the credits of one batch may be.
MOST_BATCHES, MOST_DAYS = 31, 31
MOST_CREDITS, CREDIT_DAYS = 4, 3

_COLUMNS = {
    "match_contract": "id int, company int, journal int, net bool, rate numeric, fixed numeric, tolerance numeric, "
    "days_min int, days_max int",
    "match_line": "id int, journal int, currency int, date date, amount bigint, gross bigint, digits int, label text, "
    "taken bool DEFAULT false",
    "match_word": "line int, word text",
    "match_may_be": "line int, contract int, named bool",
    "match_due": "id int, contract int, terminal int, currency int, day date, number text, amount bigint, "
    "declared bigint, count int, taken bool",
    "match_item": "unit bigint, pooled bool, contract int, currency int, pos int, day date, dues int[], amount bigint, "
    "count int, sum bigint, counted bigint, gone bigint, taken bool",
    "match_window": "contract int, currency int, pooled bool, unit bigint, first int, last int, first_day date, "
    "last_day date, amount bigint, count int, expected bigint, slack bigint",
    "match_kept": "contract int, currency int, backs int[], amount bigint, day date",
    "match_cand": "id serial, pass int, found_by text, contract int, currency int, digits int, lines int[], "
    "dues int[], paid bigint, owed bigint, known bigint, expected bigint, count int, first_day date, last_day date, "
    "date date, named bool, number text, backs int[] DEFAULT '{}', kept bigint DEFAULT 0, ambiguous bool DEFAULT false",
}
TABLES = [
    f"DROP TABLE IF EXISTS {name}; CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP"
    for name, columns in _COLUMNS.items()
] + ["DROP TABLE IF EXISTS match_found"]

LINES = """
SELECT line.id, line.journal_id, currency.id, move.date,
       round((CASE WHEN line.foreign_currency_id IS NULL THEN line.amount ELSE line.amount_currency END)
             * 10 ^ currency.decimal_places)::bigint,
       CASE WHEN line.foreign_currency_id IS NULL
            THEN NULLIF(round(line.card_gross * 10 ^ currency.decimal_places)::bigint, 0) END,
       currency.decimal_places,
       concat_ws(' ', line.payment_ref, line.card_reference, line.card_batch_reference, move.ref, told.label)
  FROM account_bank_statement_line line
  JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
  JOIN res_currency currency ON currency.id = COALESCE(line.foreign_currency_id, line.currency_id)
  LEFT JOIN LATERAL (
       SELECT string_agg(evidence.label, ' ' ORDER BY evidence.id) AS label
         FROM card_bank_evidence evidence
        WHERE evidence.journal_id = line.journal_id AND evidence.reference = line.card_reference
       ) told ON line.card_reference IS NOT NULL
 WHERE line.journal_id = ANY(%s)
   AND line.is_reconciled IS NOT TRUE
   AND line.amount <> 0
   AND NOT EXISTS (
       SELECT FROM card_match_line held JOIN card_match match ON match.id = held.match_id
        WHERE held.statement_line_id = line.id AND match.state = ANY(%s))
 ORDER BY move.date, line.id
"""

#: Batches that have ended and what is still to be paid of them, by the payments in them. Those that are paid already
#: stand among them where they lie between: days are neighbours only when nothing is between them.
DUES = (
    """
    INSERT INTO match_due (id, contract, terminal, currency, day, number, amount, declared, count, taken)
    WITH batch AS (
        SELECT batch.id, batch.contract_id, COALESCE(batch.terminal_id, 0) AS terminal, batch.currency_id, batch.day,
               NULLIF(ltrim(upper(regexp_replace(batch.number, '[^0-9A-Za-z]', '', 'g')), '0'), '') AS number,
               CASE WHEN batch.is_declared THEN batch.declared_amount END AS declared, batch.amount_due,
               COALESCE(batch.opening_amount, 0) AS opening,
               COALESCE(paid.amount, 0) AS paid, COALESCE(paid.amount, 0) = batch.amount_due AS done
          FROM card_batch batch
          JOIN match_contract contract ON contract.id = batch.contract_id
          LEFT JOIN (
               SELECT part.batch_id, sum(part.amount) AS amount
                 FROM card_match_batch part JOIN card_match match ON match.id = part.match_id
                WHERE match.state = ANY(%(holding)s)
                GROUP BY part.batch_id
               ) paid ON paid.batch_id = batch.id
         WHERE batch.state = 'closed'
    ), since AS (
        SELECT contract_id AS contract, min(day) AS day FROM batch WHERE NOT done GROUP BY contract_id
    ), part AS (
        SELECT payment.card_batch_id AS batch, payment.session_id AS session, payment.payment_method_id AS method,
               sum(payment.amount) AS amount, count(*) AS count
          FROM pos_payment payment
         WHERE payment.card_batch_id IN (SELECT id FROM batch WHERE NOT done)
         GROUP BY 1, 2, 3
    ), booked AS (
        SELECT payment.card_contract_id AS contract, payment.pos_session_id AS session,
               payment.pos_payment_method_id AS method, bool_and(line.reconciled) AS settled
          FROM account_payment payment
          JOIN account_move_line line
            ON line.move_id = payment.move_id AND line.account_id = payment.outstanding_account_id
         WHERE payment.card_contract_id IN (SELECT id FROM match_contract) AND line.parent_state = 'posted'
         GROUP BY 1, 2, 3
    ), owed AS (
        SELECT part.batch, sum(part.amount) AS amount, sum(part.count) AS count,
               bool_or(COALESCE(booked.settled, false) AND part.amount <> 0) AS elsewhere
          FROM part
          JOIN batch ON batch.id = part.batch
          LEFT JOIN booked ON booked.contract = batch.contract_id AND booked.session = part.session
                          AND booked.method = part.method
         GROUP BY part.batch
    )
    SELECT batch.id, batch.contract_id, batch.terminal, batch.currency_id, batch.day, batch.number,
           CASE WHEN done THEN 0 ELSE
           round((COALESCE(owed.amount, 0) + batch.opening - batch.paid) * 10 ^ currency.decimal_places) END::bigint,
           CASE WHEN batch.paid = 0 THEN round(batch.declared * 10 ^ currency.decimal_places)::bigint END,
           COALESCE(owed.count, 0), batch.done OR COALESCE(owed.elsewhere, false) OR EXISTS (
               SELECT FROM account_move_line_card_batch_rel before
                 JOIN account_move_line line ON line.id = before.account_move_line_id
                WHERE before.card_batch_id = batch.id AND line.reconciled)
      FROM batch
      JOIN since ON since.contract = batch.contract_id AND since.day <= batch.day
      JOIN res_currency currency ON currency.id = batch.currency_id
      LEFT JOIN owed ON owed.batch = batch.id
     WHERE batch.amount_due <> 0
    """,
    "CREATE INDEX ON match_due (contract, day); CREATE INDEX ON match_due (id)",
    "CREATE INDEX ON match_word (word)",
    "CREATE INDEX ON match_may_be (line)",
    "ANALYZE match_contract; ANALYZE match_line; ANALYZE match_word; ANALYZE match_may_be; ANALYZE match_due",
)

#: Chargebacks that acquirers keep from a payout to come: what is open of them. One of a contract, or all together.
KEPT = """
INSERT INTO match_kept
WITH open AS (
    SELECT chargeback.id, chargeback.contract_id AS contract, line.currency_id AS currency, chargeback.date AS day,
           -sum(round(line.amount_residual_currency * 10 ^ currency.decimal_places))::bigint AS amount
      FROM card_chargeback chargeback
      JOIN card_contract contract ON contract.id = chargeback.contract_id
      JOIN account_move_card_chargeback_rel booked ON booked.card_chargeback_id = chargeback.id
      JOIN account_move_line line ON line.move_id = booked.account_move_id
                                 AND line.account_id = contract.outstanding_account_id
      JOIN res_currency currency ON currency.id = line.currency_id
     WHERE chargeback.contract_id IN (SELECT id FROM match_contract) AND chargeback.received_line_id IS NULL
       AND line.parent_state = 'posted' AND NOT line.reconciled AND line.amount_residual_currency < 0
       AND NOT EXISTS (
           SELECT FROM card_match_chargeback_rel held JOIN card_match match ON match.id = held.match_id
            WHERE held.chargeback_id = chargeback.id AND match.state = ANY(%(holding)s))
     GROUP BY 1, 2, 3, 4
)
SELECT contract, currency, ARRAY[id], amount, day FROM open
 UNION ALL
SELECT contract, currency, array_agg(id ORDER BY id), sum(amount)::bigint, max(day) FROM open
 GROUP BY 1, 2 HAVING count(*) > 1
"""

#: The fee agreed on what batches come to (nothing where a contract pays in full), and whether what was paid is what
#: they come to. `{owed}` … are expressions.
_EXPECTED = """(round({owed} * contract.rate / 100) + {count} * round(contract.fixed * 10 ^ line.digits))::bigint"""
_FITS = """
CASE WHEN {known} IS NOT NULL THEN {known} = {owed}
     ELSE abs({owed} - {paid} - _EXPECTED_) <= round(contract.tolerance * 10 ^ line.digits) END
""".replace("_EXPECTED_", _EXPECTED)

#: Days that the bank may take. One by one: what is joined by a day is found by it, not by going through all days.
_DAYS = "generate_series(contract.days_min, contract.days_max)"

_CANDIDATE = """
INSERT INTO match_cand (pass, found_by, contract, currency, digits, lines, dues, paid, owed, known, expected, count,
                        first_day, last_day, date, named, number)
"""


def _fits(**names):
    return _FITS.format(**names)


def _expected(**names):
    return _EXPECTED.format(**names)


#: One batch, by all the lines that name its number, or by one of them.
_REFERENCE = f"""
{_CANDIDATE}
WITH named AS (
    SELECT due.id AS due, line.id AS line, line.amount, line.gross, line.date, line.digits, may_be.named
      FROM match_due due
      JOIN match_contract contract ON contract.id = due.contract
      JOIN match_word word ON word.word = due.number
      JOIN match_line line ON line.id = word.line AND line.currency = due.currency
      JOIN match_may_be may_be ON may_be.line = line.id AND may_be.contract = due.contract
     WHERE NOT due.taken AND NOT line.taken AND due.amount <> 0 AND sign(line.amount) = sign(due.amount)
       AND line.date BETWEEN due.day + contract.days_min AND due.day + contract.days_max + {MOST_DAYS}
), line AS (
    SELECT due, array_agg(line ORDER BY line) AS lines, sum(amount)::bigint AS paid,
           CASE WHEN bool_and(gross IS NOT NULL) THEN sum(gross)::bigint END AS known,
           max(date) AS date, max(digits) AS digits, bool_and(named) AS named
      FROM named GROUP BY due
    UNION
    SELECT due, ARRAY[line], amount, gross, date, digits, named FROM named
)
SELECT 1, 'reference', due.contract, due.currency, line.digits, line.lines, ARRAY[due.id], line.paid, due.amount,
       line.known, {_expected(owed="due.amount", count="due.count")}, due.count, due.day, due.day, line.date,
       line.named, due.number
  FROM line
  JOIN match_due due ON due.id = line.due
  JOIN match_contract contract ON contract.id = due.contract
 WHERE {_fits(known="line.known", owed="due.amount", paid="line.paid", count="due.count")}
"""
#: One line that names the numbers of several batches.
_REFERENCES = f"""
{_CANDIDATE}
WITH found AS (
    SELECT line.id AS line, due.contract, array_agg(due.id ORDER BY due.id) AS dues, sum(due.amount)::bigint AS owed,
           sum(due.count)::int AS count, min(due.day) AS first_day, max(due.day) AS last_day,
           bool_and(may_be.named) AS named, string_agg(due.number, ', ' ORDER BY due.id) AS number
      FROM match_due due
      JOIN match_contract contract ON contract.id = due.contract
      JOIN match_word word ON word.word = due.number
      JOIN match_line line ON line.id = word.line AND line.currency = due.currency
      JOIN match_may_be may_be ON may_be.line = line.id AND may_be.contract = due.contract
     WHERE NOT due.taken AND NOT line.taken AND due.amount <> 0
       AND line.date BETWEEN due.day + contract.days_min AND due.day + contract.days_max + {MOST_DAYS}
     GROUP BY line.id, due.contract
    HAVING count(*) > 1
)
SELECT 1, 'reference', found.contract, line.currency, line.digits, ARRAY[line.id], found.dues, line.amount, found.owed,
       line.gross, {_expected(owed="found.owed", count="found.count")}, found.count, found.first_day, found.last_day,
       line.date, found.named, found.number
  FROM found
  JOIN match_line line ON line.id = found.line
  JOIN match_contract contract ON contract.id = found.contract
 WHERE {_fits(known="line.gross", owed="found.owed", paid="line.amount", count="found.count")}
"""
#: Items stand in line: batches of one terminal, or all batches of a contract on one day.
_ITEMS = """
INSERT INTO match_item
WITH unit AS (
    SELECT dense_rank() OVER (ORDER BY contract, currency, terminal) AS unit, false AS pooled, contract, currency,
           row_number() OVER (PARTITION BY contract, currency, terminal ORDER BY day, id) AS pos, day,
           ARRAY[id] AS dues, amount, count, taken
      FROM match_due
    UNION ALL
    SELECT -dense_rank() OVER (ORDER BY contract, currency), true, contract, currency,
           row_number() OVER (PARTITION BY contract, currency ORDER BY day), day,
           array_agg(id ORDER BY id), sum(amount)::bigint, sum(count)::int, bool_or(taken)
      FROM match_due
     WHERE (contract, currency) IN (
           SELECT contract, currency FROM match_due GROUP BY 1, 2 HAVING count(DISTINCT terminal) > 1)
     GROUP BY contract, currency, day
)
SELECT unit, pooled, contract, currency, pos, day, dues, amount, count,
       sum(amount) OVER before, sum(count) OVER before, count(*) FILTER (WHERE taken) OVER before, taken
  FROM unit
WINDOW before AS (PARTITION BY unit ORDER BY pos)
"""
_WINDOWS = f"""
INSERT INTO match_window
SELECT win.contract, win.currency, win.pooled, win.unit, win.first, win.last, win.first_day, win.last_day, win.amount,
       win.count, {_expected(owed="win.amount", count="win.count")}, round(contract.tolerance * 10 ^ line.digits)
  FROM (
       SELECT first.contract, first.currency, first.pooled, first.unit, first.pos AS first, last.pos AS last,
              first.day AS first_day, last.day AS last_day, last.sum - first.sum + first.amount AS amount,
              last.counted - first.counted + first.count AS count
         FROM match_item first
         JOIN match_item last ON last.unit = first.unit
          AND last.pos BETWEEN first.pos AND first.pos + {MOST_BATCHES - 1} AND last.day - first.day < {MOST_DAYS}
        WHERE NOT first.taken AND last.gone = first.gone
       ) win
  JOIN match_contract contract ON contract.id = win.contract
  JOIN (SELECT id, decimal_places AS digits FROM res_currency) line ON line.id = win.currency
 WHERE win.amount <> 0
"""
_SHAPES = f"""
{_CANDIDATE}
WITH found AS (
    SELECT line.id AS line, win.*, line.digits, line.amount AS paid, line.gross AS known, line.date, may_be.named
      FROM match_line line
      JOIN match_may_be may_be ON may_be.line = line.id
      JOIN match_contract contract ON contract.id = may_be.contract
     CROSS JOIN LATERAL {_DAYS} AS after
      JOIN match_window win ON win.contract = contract.id AND win.currency = line.currency
       AND win.last_day = line.date - after
     WHERE NOT line.taken
       AND CASE WHEN line.gross IS NOT NULL THEN line.gross = win.amount
                ELSE abs(win.amount - line.amount - win.expected) <= win.slack END
), whole AS (
    SELECT found.line, found.pooled, found.unit, found.first, found.last, array_agg(due ORDER BY due) AS dues
      FROM found
      JOIN match_item item ON item.unit = found.unit AND item.pos BETWEEN found.first AND found.last
     CROSS JOIN LATERAL unnest(item.dues) AS due
     GROUP BY 1, 2, 3, 4, 5
)
SELECT 2,
       CASE WHEN cardinality(whole.dues) = 1 THEN 'amount' WHEN found.pooled THEN 'pooled' ELSE 'days' END,
       found.contract, found.currency, found.digits, ARRAY[found.line], whole.dues, found.paid, found.amount,
       found.known, found.expected, found.count, found.first_day, found.last_day, found.date, found.named, NULL
  FROM found
  JOIN whole USING (line, pooled, unit, first, last)
 ORDER BY found.pooled, found.line
"""
#: One batch by several neighbouring lines of its contract, all of one sign: each line is in some runs of each size.
_SPLIT = f"""
{_CANDIDATE}
WITH item AS (
    SELECT may_be.contract, line.currency, line.digits, line.id, line.date, line.amount, line.gross, may_be.named,
           row_number() OVER (PARTITION BY may_be.contract, line.currency ORDER BY line.date, line.id) AS pos
      FROM match_line line
      JOIN match_may_be may_be ON may_be.line = line.id
     WHERE NOT line.taken
), line AS (
    SELECT contract, currency, digits, min(date) AS first_date, max(date) AS date, array_agg(id ORDER BY id) AS lines,
           sum(amount)::bigint AS paid, CASE WHEN bool_and(gross IS NOT NULL) THEN sum(gross)::bigint END AS known,
           bool_and(named) AS named
      FROM item
     CROSS JOIN generate_series(2, {MOST_CREDITS}) AS size
     CROSS JOIN LATERAL generate_series(0, size - 1) AS place
     GROUP BY contract, currency, digits, size, pos - place
    HAVING count(*) = size AND max(date) - min(date) <= {CREDIT_DAYS} AND abs(sum(amount)) = sum(abs(amount))
)
SELECT 2, 'split', due.contract, due.currency, line.digits, line.lines, ARRAY[due.id], line.paid, due.amount,
       line.known, {_expected(owed="due.amount", count="due.count")}, due.count, due.day, due.day, line.date,
       line.named, NULL
  FROM line
  JOIN match_contract contract ON contract.id = line.contract
 CROSS JOIN LATERAL {_DAYS} AS after
  JOIN match_due due ON due.contract = contract.id AND due.currency = line.currency AND due.day = line.date - after
   AND due.day <= line.first_date - contract.days_min
 WHERE NOT due.taken AND due.amount <> 0
   AND {_fits(known="line.known", owed="due.amount", paid="line.paid", count="due.count")}
"""
_DECLARED = f"""
{_CANDIDATE}
SELECT 3, 'declared', due.contract, due.currency, line.digits, ARRAY[line.id], ARRAY[due.id], line.amount, due.declared,
       line.gross, {_expected(owed="due.declared", count="due.count")}, due.count, due.day, due.day, line.date,
       may_be.named, word.word
  FROM match_due due
  JOIN match_contract contract ON contract.id = due.contract
  JOIN match_may_be may_be ON may_be.contract = due.contract
  JOIN match_line line ON line.id = may_be.line AND line.currency = due.currency
   AND line.date BETWEEN due.day + contract.days_min AND due.day + contract.days_max
  LEFT JOIN match_word word ON word.line = line.id AND word.word = due.number
 WHERE NOT due.taken AND NOT line.taken AND due.declared <> due.amount
   AND {_fits(known="line.gross", owed="due.declared", paid="line.amount", count="due.count")}
"""
#: Batches by one line that is lower by chargebacks. The fee is of what the batches come to.
_LESS = f"""
{_CANDIDATE.replace("number)", "number, backs, kept)")}
WITH found AS (
    SELECT line.id AS line, win.*, line.digits, line.amount AS paid, line.gross AS known, line.date, may_be.named,
           kept.backs, kept.amount AS kept
      FROM match_kept kept
      JOIN match_contract contract ON contract.id = kept.contract
      JOIN match_may_be may_be ON may_be.contract = contract.id
      JOIN match_line line ON line.id = may_be.line AND line.currency = kept.currency AND line.date >= kept.day
     CROSS JOIN LATERAL {_DAYS} AS after
      JOIN match_window win ON win.contract = contract.id AND win.currency = line.currency
       AND win.last_day = line.date - after
     WHERE NOT line.taken
       AND CASE WHEN line.gross = win.amount - kept.amount THEN true
                WHEN line.gross <> win.amount THEN false
                ELSE abs(win.amount - kept.amount - line.amount - win.expected) <= win.slack END
), whole AS (
    SELECT found.line, found.backs, found.pooled, found.unit, found.first, found.last,
           array_agg(due.id ORDER BY due.id) AS dues
      FROM found
      JOIN match_item item ON item.unit = found.unit AND item.pos BETWEEN found.first AND found.last
     CROSS JOIN LATERAL unnest(item.dues) AS which
      JOIN match_due due ON due.id = which
     GROUP BY 1, 2, 3, 4, 5, 6
    HAVING NOT bool_or(due.taken)
)
SELECT 3, 'kept', found.contract, found.currency, found.digits, ARRAY[found.line], whole.dues, found.paid, found.amount,
       found.known, found.expected, found.count, found.first_day, found.last_day, found.date, found.named, NULL,
       found.backs, found.kept
  FROM found
  JOIN whole USING (line, backs, pooled, unit, first, last)
 ORDER BY found.pooled, found.line
"""
_TAKEN = (
    "UPDATE match_line SET taken = true WHERE id IN (SELECT unnest(lines) FROM match_cand)",
    "UPDATE match_due SET taken = true WHERE id IN (SELECT unnest(dues) FROM match_cand)",
)
PASSES = (
    _REFERENCE,
    _REFERENCES,
    *_TAKEN,
    _ITEMS,
    "CREATE INDEX ON match_item (unit, pos)",
    "ANALYZE match_item",
    _WINDOWS,
    "CREATE INDEX ON match_window (contract, last_day)",
    "ANALYZE match_window",
    _SHAPES,
    _SPLIT,
    *_TAKEN,
    _LESS,
    _DECLARED,
    """
    DELETE FROM match_cand twin USING match_cand other
     WHERE twin.id > other.id AND twin.lines = other.lines AND twin.dues = other.dues
       AND twin.backs = other.backs
    """,
)
