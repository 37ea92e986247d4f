-- Say which type the chart gives accounts with these codes; those it says nothing about are left out.
SELECT DISTINCT ON (code) code, type
FROM unnest(%(codes)s::text[]) AS wanted (code)
JOIN ledger_accountgroup ON starts_with(code, prefix)
ORDER BY code, length(prefix) DESC
