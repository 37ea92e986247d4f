-- Entries that are in the journal already, by idempotency key.
SELECT id, public_id, idempotency_key, fingerprint
FROM ledger_journalentry
WHERE idempotency_key = ANY(%(keys)s::text[])
