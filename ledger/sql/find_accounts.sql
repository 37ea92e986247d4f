-- Resolve accounts named by owner and code.
SELECT account.id, account.owner, account.code, account.currency, account.type, account.floor
FROM unnest(%(owners)s::text[], %(codes)s::text[]) AS wanted (owner, code)
JOIN ledger_account AS account USING (owner, code)
