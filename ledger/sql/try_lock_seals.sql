-- True for the one transaction that may seal now; nobody waits.
SELECT pg_try_advisory_xact_lock(hashtextextended('ledger:sealing', 0)) AS is_ours
