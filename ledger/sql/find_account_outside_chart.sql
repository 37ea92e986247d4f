-- Name an account under a prefix whose type is not what the chart says: its longest prefix counts.
SELECT account.code, account.type, chart.prefix, chart.type AS type_in_chart
FROM ledger_account AS account
CROSS JOIN LATERAL (
    SELECT prefix, type FROM ledger_accountgroup
    WHERE starts_with(account.code, prefix)
    ORDER BY length(prefix) DESC
    LIMIT 1
) AS chart
WHERE starts_with(account.code, %(prefix)s::text) AND account.type <> chart.type
ORDER BY account.id
LIMIT 1
