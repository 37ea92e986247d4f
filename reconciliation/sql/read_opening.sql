-- What was in an account before its first statement, as known at a moment: an earlier statement that
-- came later replaced it.
SELECT statement.opening_balance AS amount, statement.first_day AS opened_on
FROM reconciliation_statement AS statement
JOIN reconciliation_statementfile AS file ON file.id = statement.file_id
JOIN reconciliation_sourceaccount AS account ON account.id = statement.source_account_id
WHERE statement.source_account_id = %(source_account_id)s::bigint
    AND statement.opening_balance IS NOT NULL
    AND statement.first_day >= account.opening_on
    AND file.loaded_at <= %(known_at)s::timestamptz
ORDER BY statement.first_day, file.loaded_at, statement.id
LIMIT 1
