-- Accounts of which less is available than their floor allows.
SELECT account.code, account.floor, available.amount AS available
FROM ledger_account AS account
JOIN ledger_accountbalance AS balance ON balance.account_id = account.id
CROSS JOIN LATERAL (
    SELECT CASE WHEN account.type IN ('asset', 'expense')
               THEN balance.debits - balance.credits - balance.pending_credits
               ELSE balance.credits - balance.debits - balance.pending_debits END AS amount
) AS available
WHERE available.amount < account.floor
ORDER BY account.id
