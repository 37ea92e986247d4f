-- True for the one transaction that may seal these records now; nobody waits.
SELECT pg_try_advisory_xact_lock(hashtextextended(%(lock)s, 0)) AS is_ours
