-- Open accounts that do not exist yet, each with an empty balance and of the type the chart says.
WITH opened AS (
    INSERT INTO ledger_account (public_id, owner, code, name, type, currency, floor)
    SELECT public_id, owner, code, '', coalesce(chart.type, wanted.type), currency, floor
    FROM unnest(
        %(public_ids)s::text[], %(owners)s::text[], %(codes)s::text[],
        %(types)s::text[], %(currencies)s::text[], %(floors)s::bigint[]
    ) AS wanted (public_id, owner, code, type, currency, floor)
    LEFT JOIN LATERAL (
        SELECT type FROM ledger_accountgroup
        WHERE starts_with(wanted.code, prefix)
        ORDER BY length(prefix) DESC
        LIMIT 1
    ) AS chart ON true
    ORDER BY owner, code
    ON CONFLICT (owner, code) DO NOTHING
    RETURNING id
)
INSERT INTO ledger_accountbalance (account_id, debits, credits)
SELECT id, 0, 0 FROM opened
