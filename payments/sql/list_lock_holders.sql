-- The connections that hold an advisory lock of this number now.
SELECT DISTINCT pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = %(lock)s::bigint::oid AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
