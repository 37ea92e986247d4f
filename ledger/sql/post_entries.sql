-- Write a batch of entries with their postings, and move the balances they touch.
WITH new_entry AS (
    INSERT INTO ledger_journalentry (
        id, public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at,
        reverses_id
    )
    OVERRIDING SYSTEM VALUE
    SELECT * FROM unnest(
        %(entry_ids)s::bigint[], %(public_ids)s::text[], %(keys)s::text[],
        %(fingerprints)s::bytea[], %(kinds)s::text[], %(references)s::text[],
        %(posting_counts)s::smallint[], %(effective_ats)s::timestamptz[], %(reverses)s::bigint[]
    )
),
new_posting AS (
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount, balance_after)
    SELECT * FROM unnest(
        %(posting_entry_ids)s::bigint[], %(positions)s::smallint[], %(account_ids)s::bigint[],
        %(directions)s::text[], %(amounts)s::bigint[], %(balances_after)s::bigint[]
    )
)
UPDATE ledger_accountbalance AS balance
SET debits = balance.debits + movement.debits, credits = balance.credits + movement.credits
FROM unnest(
    %(moved_ids)s::bigint[], %(moved_debits)s::bigint[], %(moved_credits)s::bigint[]
) AS movement (account_id, debits, credits)
WHERE balance.account_id = movement.account_id
