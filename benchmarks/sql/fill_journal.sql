-- Fill the journal with transfers between random accounts as fast as it goes: no guard looks at it.
WITH account AS MATERIALIZED (
    SELECT array_agg(id) AS ids, count(*)::int AS number FROM ledger_account
    WHERE code LIKE 'bench:free:%%'
),
new_entry AS (
    INSERT INTO ledger_journalentry (
        public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at
    )
    SELECT 'je_' || name, 'payment:pay_' || name, sha256(name::bytea), 'payment', 'pay_' || name, 2,
           %(effective_at)s::timestamptz
    FROM (
        SELECT replace(uuidv7()::text, '-', '') AS name
        FROM generate_series(1, %(entries)s::integer)
    ) AS named
    RETURNING id
),
transfer AS (
    SELECT id, floor(random() * number)::int AS source, floor(random() * (number - 1))::int AS step,
           1 + floor(random() * 10000)::bigint AS amount
    FROM new_entry, account
)
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
SELECT transfer.id, side.position, account.ids[1 + side.account %% number], side.direction, amount
FROM transfer, account, LATERAL (
    VALUES (0, source, 'debit'), (1, source + 1 + step, 'credit')
) AS side (position, account, direction)
