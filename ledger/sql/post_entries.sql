-- Write a batch of entries with their postings.
WITH new_entry AS (
    INSERT INTO ledger_journalentry (
        id, public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at,
        late_from, reverses_id
    )
    OVERRIDING SYSTEM VALUE
    SELECT id, public_id, key, decode(fingerprint, 'hex'), kind, reference, posting_count,
           effective_at, late_from, reverses
    FROM unnest(
        %(entry_ids)s::bigint[], %(public_ids)s::text[], %(keys)s::text[],
        %(fingerprints)s::text[], %(kinds)s::text[], %(references)s::text[],
        %(posting_counts)s::smallint[], %(effective_ats)s::timestamptz[],
        %(late_froms)s::timestamptz[], %(reverses)s::bigint[]
    ) AS entry (
        id, public_id, key, fingerprint, kind, reference, posting_count, effective_at, late_from,
        reverses
    )
)
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount, balance_after)
SELECT * FROM unnest(
    %(posting_entry_ids)s::bigint[], %(positions)s::smallint[], %(account_ids)s::bigint[],
    %(directions)s::text[], %(amounts)s::bigint[], %(balances_after)s::bigint[]
)
