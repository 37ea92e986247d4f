-- What the days there are come to per month.
INSERT INTO ledger_monthtotal (account_id, effective_month, posted_month, debits, credits)
SELECT account_id, date_trunc('month', effective_on::timestamp)::date,
       date_trunc('month', posted_on::timestamp)::date, sum(debits), sum(credits)
FROM ledger_daytotal
GROUP BY 1, 2, 3;
