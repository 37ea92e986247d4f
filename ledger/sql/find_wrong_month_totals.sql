-- The first months of accounts whose kept totals are not the sums of their days.
WITH added AS (
    SELECT account_id, date_trunc('month', effective_on::timestamp)::date AS effective_month,
           date_trunc('month', posted_on::timestamp)::date AS posted_month,
           sum(debits) AS debits, sum(credits) AS credits
    FROM ledger_daytotal
    GROUP BY 1, 2, 3
)
SELECT account_id, account.code, account.owner, effective_month, posted_month,
       kept.debits, kept.credits,
       added.debits::bigint AS day_debits, added.credits::bigint AS day_credits
FROM ledger_monthtotal AS kept
FULL JOIN added USING (account_id, effective_month, posted_month)
LEFT JOIN ledger_account AS account ON account.id = account_id
WHERE (kept.debits, kept.credits) IS DISTINCT FROM (added.debits, added.credits)
ORDER BY account_id, effective_month, posted_month
LIMIT 5
