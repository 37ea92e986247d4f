-- Wait for whoever is opening accounts; who comes after sees the chart this transaction leaves.
SELECT pg_advisory_xact_lock(hashtextextended('ledger:chart', 0))
