-- Entries that are in the journal already, by idempotency key.
SELECT idempotency_key, id, public_id, fingerprint
FROM ledger_journalentry
WHERE idempotency_key = ANY(%(keys)s::text[])
