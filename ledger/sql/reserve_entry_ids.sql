-- Until when the books are closed, and the next ids for a batch of entries, so that their postings
-- can be written beside them. The transaction has its xid before it has an id: the sealer waits for
-- older xids and so misses nobody who holds a lower id.
WITH writer AS MATERIALIZED (SELECT pg_current_xact_id() AS xid)
SELECT (SELECT max(ends_at) FROM ledger_accountingperiod WHERE status <> 'OPEN') AS closed_until,
       array_agg(nextval('ledger_journalentry_id_seq')) AS entry_ids
FROM writer CROSS JOIN generate_series(1, %(count)s) WHERE xid IS NOT NULL
