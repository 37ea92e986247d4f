-- Lock balances in id order, so that two batches never deadlock, and read what is committed now.
SELECT account_id, debits, credits
FROM ledger_accountbalance
WHERE account_id = ANY(%(account_ids)s::bigint[])
ORDER BY account_id
FOR NO KEY UPDATE
