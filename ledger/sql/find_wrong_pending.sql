-- Accounts whose pending totals are not what their open holds still keep.
SELECT code, pending_debits, pending_credits, held
FROM (
    SELECT account.id, account.code, account.type IN ('asset', 'expense') AS grows_by_debits,
           balance.pending_debits, balance.pending_credits, coalesce(hold.kept, 0)::bigint AS held
    FROM ledger_accountbalance AS balance
    JOIN ledger_account AS account ON account.id = balance.account_id
    LEFT JOIN (
        SELECT account_id, sum(amount - captured) AS kept
        FROM ledger_hold WHERE status = 'HELD' GROUP BY account_id
    ) AS hold ON hold.account_id = account.id
) AS pending
WHERE pending_debits <> CASE WHEN grows_by_debits THEN 0 ELSE held END
    OR pending_credits <> CASE WHEN grows_by_debits THEN held ELSE 0 END
ORDER BY id
