-- Entries that are in the journal already, by idempotency key.
SELECT entry.idempotency_key, entry.id, entry.public_id, entry.fingerprint
FROM unnest((SELECT %(keys)s::text[])) AS wanted (idempotency_key)
JOIN ledger_journalentry AS entry USING (idempotency_key)
