-- Say which type the chart gives accounts with this code: the longest prefix counts.
SELECT type FROM ledger_accountgroup
WHERE starts_with(%(code)s::text, prefix)
ORDER BY length(prefix) DESC
LIMIT 1
