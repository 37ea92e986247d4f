-- Resolve accounts by owner and code; lock the balances of those with a floor, in id order, and say
-- what is on them and what is available, by the account's normal side.
WITH wanted AS MATERIALIZED (
    SELECT account.id, account.owner, account.code, account.currency, account.type, account.floor,
           account.is_frozen
    FROM unnest(%(owners)s::text[], %(codes)s::text[]) AS named (owner, code)
    JOIN ledger_account AS account USING (owner, code)
),
locked AS MATERIALIZED (
    SELECT account_id, debits, credits, pending_debits, pending_credits
    FROM ledger_accountbalance
    WHERE account_id IN (SELECT id FROM wanted WHERE floor IS NOT NULL)
    ORDER BY account_id
    FOR NO KEY UPDATE
)
SELECT id, owner, code, currency, type, floor, is_frozen,
       coalesce(CASE WHEN type IN ('asset', 'expense') THEN debits - credits
                     ELSE credits - debits END, 0) AS balance,
       coalesce(CASE WHEN type IN ('asset', 'expense') THEN debits - credits - pending_credits
                     ELSE credits - debits - pending_debits END, 0) AS available
FROM wanted LEFT JOIN locked ON locked.account_id = wanted.id
