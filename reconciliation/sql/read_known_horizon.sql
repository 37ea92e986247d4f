-- The latest moment that nobody can add to any more: rows carry the start of the transaction that wrote
-- them, or a later clock, and every other transaction that runs began after this.
SELECT least(statement_timestamp(), min(xact_start) - interval '1 microsecond') AS known_at
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
