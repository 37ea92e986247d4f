-- The statements that cover a day of an account and were loaded by a moment, with what they say.
SELECT file.public_id AS file, file.sha256, statement.number, statement.identifier,
       statement.sequence, statement.first_day, statement.last_day, statement.opening_balance,
       statement.closing_balance, statement.line_count, statement.net
FROM reconciliation_statement AS statement
JOIN reconciliation_statementfile AS file ON file.id = statement.file_id
WHERE statement.source_account_id = %(source_account_id)s::bigint
    AND %(day)s::date BETWEEN statement.first_day AND statement.last_day
    AND file.loaded_at <= %(known_at)s::timestamptz
ORDER BY statement.first_day, statement.id
