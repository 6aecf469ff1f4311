"""The statements by which `card_match_find` keeps what its passes found."""
# ruff: noqa: S608

#: Candidates that are listed for the same bank lines at most.
MOST_LISTED = 20

AMBIGUITY = """
WITH wanted AS (
    SELECT id, pass, 'line' AS what, unnest(lines) AS which FROM match_cand
    UNION ALL
    SELECT id, pass, 'due', unnest(dues) FROM match_cand
    UNION ALL
    SELECT id, pass, 'back', unnest(backs) FROM match_cand
), contested AS (
    SELECT unnest(array_agg(id)) AS id FROM wanted GROUP BY pass, what, which HAVING count(*) > 1
)
UPDATE match_cand SET ambiguous = true WHERE id IN (SELECT id FROM contested)
"""
_BY = "%(user)s, %(now)s, %(user)s, %(now)s"
_LOG = "create_uid, create_date, write_uid, write_date"
STORE = (
    f"""
    CREATE TEMP TABLE match_found ON COMMIT DROP AS
    SELECT nextval('card_match_id_seq')::int AS match, listed.*, 10::numeric ^ digits AS unit,
           CASE WHEN ambiguous THEN 'ambiguous' ELSE 'proposed' END AS state,
           CASE WHEN kept <> 0 THEN owed - kept - paid WHEN known IS NOT NULL THEN known - paid
                WHEN net THEN owed - paid ELSE 0 END AS fee,
           CASE WHEN found_by = 'declared'
                THEN (SELECT CASE WHEN abs(due.declared) < abs(due.amount) THEN due.declared ELSE due.amount END
                        FROM match_due due WHERE due.id = dues[1])
                ELSE owed END AS gross
      FROM (
           SELECT cand.*, contract.net, contract.company, contract.journal,
                  row_number() OVER (PARTITION BY cand.lines ORDER BY cand.id) AS place
             FROM match_cand cand JOIN match_contract contract ON contract.id = cand.contract
           ) listed
     WHERE NOT ambiguous OR place <= {MOST_LISTED}
     ORDER BY date, id
    """,
    f"""
    INSERT INTO card_match (id, contract_id, journal_id, company_id, currency_id, date, label, state, found_by, amount,
                            gross, fee, kept, over, evidence, {_LOG})
    SELECT match, contract, found.journal, company, found.currency, found.date, line.label, state, found_by,
           paid / unit, found.gross / unit, fee / unit, kept / unit,
           (paid + fee + kept - found.gross) / unit,
           jsonb_build_object(
               'label', named, 'only_contract', NOT named, 'number', number,
               'sum', round(found.gross / unit, found.digits)::text,
               'paid', round(paid / unit, found.digits)::text, 'gross', round(known / unit, found.digits)::text,
               'expected_fee', CASE WHEN net AND expected <> 0 THEN round(expected / unit, found.digits)::text END,
               'first_day', first_day, 'last_day', last_day, 'days', found.date - last_day, 'payments', count,
               'kept', CASE WHEN kept <> 0 THEN round(kept / unit, found.digits)::text END,
               'declared', CASE WHEN found_by = 'declared' THEN round(owed / unit, found.digits)::text END
           ), {_BY}
      FROM match_found found JOIN match_line line ON line.id = found.lines[1]
    """,
    f"""
    INSERT INTO card_match_line (match_id, statement_line_id, {_LOG})
    SELECT match, line, {_BY} FROM match_found CROSS JOIN LATERAL unnest(lines) AS line
    """,
    f"""
    INSERT INTO card_match_batch (match_id, batch_id, amount, payment_count, {_LOG})
    SELECT match, due.id,
           CASE WHEN found_by = 'declared' AND abs(due.declared) < abs(due.amount)
                THEN due.declared ELSE due.amount END / unit,
           due.count, {_BY}
      FROM match_found
     CROSS JOIN LATERAL unnest(dues) AS which
      JOIN match_due due ON due.id = which
    """,
    """
    INSERT INTO card_match_chargeback_rel (match_id, chargeback_id)
    SELECT match, unnest(backs) FROM match_found
    """,
    """
    INSERT INTO card_match_payment_rel (match_id, payment_id)
    SELECT found.match, payment.id
      FROM match_found found
     CROSS JOIN LATERAL unnest(found.dues) AS due
      JOIN pos_payment payment ON payment.card_batch_id = due
     WHERE found.state = 'proposed'
    """,
)
