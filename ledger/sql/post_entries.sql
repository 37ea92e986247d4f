-- Write a batch of entries with their postings, and move the balances they touch.
WITH entry AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('ledger_journalentry', 'id')) AS id, given.*
    FROM unnest(
        %(public_ids)s::text[], %(keys)s::text[], %(fingerprints)s::bytea[], %(kinds)s::text[],
        %(references)s::text[], %(posting_counts)s::smallint[], %(effective_ats)s::timestamptz[]
    ) WITH ORDINALITY AS given (
        public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at, nth
    )
),
new_entry AS (
    INSERT INTO ledger_journalentry (
        id, public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at
    )
    OVERRIDING SYSTEM VALUE
    SELECT id, public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at
    FROM entry
),
new_posting AS (
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount, balance_after)
    SELECT entry.id, line.position, line.account_id, line.direction, line.amount, line.balance_after
    FROM unnest(
        %(entry_nths)s::bigint[], %(positions)s::smallint[], %(account_ids)s::bigint[],
        %(directions)s::text[], %(amounts)s::bigint[], %(balances_after)s::bigint[]
    ) AS line (nth, position, account_id, direction, amount, balance_after)
    JOIN entry USING (nth)
),
moved AS (
    UPDATE ledger_accountbalance AS balance
    SET debits = balance.debits + movement.debits, credits = balance.credits + movement.credits
    FROM unnest(
        %(moved_ids)s::bigint[], %(moved_debits)s::bigint[], %(moved_credits)s::bigint[]
    ) AS movement (account_id, debits, credits)
    WHERE balance.account_id = movement.account_id
)
SELECT id, public_id FROM entry ORDER BY nth
