-- Open accounts that do not exist yet, each with an empty balance.
WITH opened AS (
    INSERT INTO ledger_account (public_id, owner, code, name, type, currency, floor)
    SELECT public_id, owner, code, '', type, currency, floor
    FROM unnest(
        %(public_ids)s::text[], %(owners)s::text[], %(codes)s::text[],
        %(types)s::text[], %(currencies)s::text[], %(floors)s::bigint[]
    ) AS wanted (public_id, owner, code, type, currency, floor)
    ORDER BY owner, code
    ON CONFLICT (owner, code) DO NOTHING
    RETURNING id
)
INSERT INTO ledger_accountbalance (account_id, debits, credits)
SELECT id, 0, 0 FROM opened
