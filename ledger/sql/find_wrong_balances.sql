-- Accounts whose running totals are not the sums of their postings.
SELECT account.code, account.owner, balance.debits, balance.credits,
       coalesce(posted.debits, 0)::bigint AS posted_debits,
       coalesce(posted.credits, 0)::bigint AS posted_credits
FROM ledger_account AS account
LEFT JOIN ledger_accountbalance AS balance ON balance.account_id = account.id
LEFT JOIN (
    SELECT account_id,
           sum(amount) FILTER (WHERE direction = 'debit') AS debits,
           sum(amount) FILTER (WHERE direction = 'credit') AS credits
    FROM ledger_posting GROUP BY account_id
) AS posted ON posted.account_id = account.id
WHERE (balance.debits, balance.credits)
    IS DISTINCT FROM (coalesce(posted.debits, 0), coalesce(posted.credits, 0))
ORDER BY account.id
