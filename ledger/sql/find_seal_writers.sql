-- Transactions that have drawn entry ids and not ended: nextval keeps its lock until then.
SELECT virtualtransaction AS writer
FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relation = 'ledger_journalentry_id_seq'::regclass
    AND pid IS DISTINCT FROM pg_backend_pid()
