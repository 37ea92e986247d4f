-- The id up to which no event appears any more: the last one drawn, or the last one before those of
-- transactions that still run (payments/migrations/sql/events.sql). True for statements after this one.
SELECT least(
    drawn.id,
    (
        SELECT min((running.classid::bigint & 65535) << 32 | running.objid::bigint)
        FROM pg_locks AS running
        WHERE running.locktype = 'advisory' AND running.mode = 'ShareLock' AND running.objsubid = 1
            AND running.classid::bigint >> 16 = 7008
            AND running.database
                = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND running.pid IS DISTINCT FROM pg_backend_pid()
            AND drawn.id >= 0  -- what was drawn is read first: who draws later draws higher ones
    )
) AS id
FROM (SELECT coalesce(pg_sequence_last_value('payments_event_id_seq'), 0) AS id) AS drawn
