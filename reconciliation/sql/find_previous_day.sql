-- The last day before this one on which a source was reconciled or an account has a statement for, as
-- known at a moment; none if this is the first.
SELECT max(day) AS day
FROM (
    SELECT max(as_of) AS day
    FROM reconciliation_reconciliationrun
    WHERE as_of < %(day)s::date AND finished_at <= %(known_at)s::timestamptz
        AND source_code IN ('', %(source_code)s::text)
    UNION ALL
    SELECT max(statement.last_day)
    FROM reconciliation_statement AS statement
    JOIN reconciliation_statementfile AS file ON file.id = statement.file_id
    WHERE statement.source_account_id = %(source_account_id)s::bigint
        AND statement.last_day < %(day)s::date AND file.loaded_at <= %(known_at)s::timestamptz
) AS known
