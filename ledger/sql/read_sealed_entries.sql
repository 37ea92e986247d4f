-- What a seal says of entries, a page of them: `ENTRY_FIELDS` of ledger/proof.py; and what the
-- poster said of them.
SELECT entry.id, entry.public_id, entry.idempotency_key, entry.kind, entry.reference,
       to_char(entry.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
           AS effective_at,
       to_char(entry.late_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS late_from,
       to_char(entry.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS posted_at,
       entry.reverses_id,
       (
           SELECT original.public_id FROM ledger_journalentry AS original
           WHERE original.id = entry.reverses_id
       ) AS reverses,
       entry.fingerprint
FROM ledger_journalentry AS entry
WHERE entry.id > %(after)s::bigint AND entry.id <= %(up_to)s::bigint
ORDER BY entry.id LIMIT %(count)s
