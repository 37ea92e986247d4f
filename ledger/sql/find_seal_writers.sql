-- Transactions that have drawn ids and not ended: nextval keeps its lock until then.
SELECT virtualtransaction AS writer
FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relation = %(sequence)s::regclass
    AND pid IS DISTINCT FROM pg_backend_pid()
