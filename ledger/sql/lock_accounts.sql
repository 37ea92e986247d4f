-- Resolve accounts by owner and code; lock the balances of those with a floor, in id order, and say
-- what is on them and what is available, by the account's normal side.
WITH wanted AS MATERIALIZED (
    SELECT account.id, account.owner, account.code, account.currency, account.type, account.floor,
           account.is_frozen
    FROM unnest((SELECT %(owners)s::text[]), (SELECT %(codes)s::text[])) AS named (owner, code)
    JOIN ledger_account AS account USING (owner, code)
),
locked AS MATERIALIZED (
    SELECT wanted.*, balance.debits, balance.credits, balance.pending_debits,
           balance.pending_credits
    FROM wanted JOIN ledger_accountbalance AS balance ON balance.account_id = wanted.id
    WHERE wanted.floor IS NOT NULL
    ORDER BY wanted.id
    FOR NO KEY UPDATE OF balance
)
SELECT id, owner, code, currency, type, floor, is_frozen,
       CASE WHEN type IN ('asset', 'expense') THEN debits - credits
            ELSE credits - debits END AS balance,
       CASE WHEN type IN ('asset', 'expense') THEN debits - credits - pending_credits
            ELSE credits - debits - pending_debits END AS available
FROM locked
UNION ALL
SELECT id, owner, code, currency, type, floor, is_frozen, 0, 0 FROM wanted WHERE floor IS NULL
