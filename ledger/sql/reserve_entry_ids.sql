-- Until when the books are closed, and the next ids for a batch of entries, so that their postings
-- can be written beside them. The sealer waits for whoever has taken ids and not committed yet.
SELECT (SELECT max(ends_at) FROM ledger_accountingperiod WHERE status <> 'OPEN') AS closed_until,
       array_agg(nextval('ledger_journalentry_id_seq')) AS entry_ids
FROM generate_series(1, %(count)s)
