-- Currencies in which the debits of all postings differ from their credits.
SELECT coalesce(account.currency, 'no account') AS subject,
       'debits ' || coalesce(sum(total.debits), 0) || ', credits ' || coalesce(sum(total.credits), 0)
           AS problem
FROM (
    SELECT account_id,
           sum(amount) FILTER (WHERE direction = 'debit') AS debits,
           sum(amount) FILTER (WHERE direction = 'credit') AS credits
    FROM ledger_posting GROUP BY account_id
) AS total
LEFT JOIN ledger_account AS account ON account.id = total.account_id
GROUP BY account.currency
HAVING coalesce(sum(total.debits), 0) <> coalesce(sum(total.credits), 0)
ORDER BY 1 LIMIT 20
