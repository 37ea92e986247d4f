-- Accounts whose running totals are not their day totals and the postings since the last seal.
WITH kept AS (
    SELECT account_id, sum(debits) AS debits, sum(credits) AS credits
    FROM ledger_daytotal GROUP BY account_id
),
tail AS (
    SELECT account_id,
           sum(amount) FILTER (WHERE direction = 'debit') AS debits,
           sum(amount) FILTER (WHERE direction = 'credit') AS credits
    FROM ledger_posting
    -- The first condition finds them by index; somebody may have sealed more since it was known.
    WHERE entry_id > %(sealed)s::bigint
        AND entry_id > (SELECT coalesce(max(last_entry_id), 0) FROM ledger_seal)
    GROUP BY account_id
)
SELECT account.code, account.owner, balance.debits, balance.credits,
       (coalesce(kept.debits, 0) + coalesce(tail.debits, 0))::bigint AS posted_debits,
       (coalesce(kept.credits, 0) + coalesce(tail.credits, 0))::bigint AS posted_credits
FROM ledger_account AS account
LEFT JOIN ledger_accountbalance AS balance ON balance.account_id = account.id
LEFT JOIN kept ON kept.account_id = account.id
LEFT JOIN tail ON tail.account_id = account.id
WHERE (balance.debits, balance.credits) IS DISTINCT FROM (
    coalesce(kept.debits, 0) + coalesce(tail.debits, 0),
    coalesce(kept.credits, 0) + coalesce(tail.credits, 0)
)
ORDER BY account.id
