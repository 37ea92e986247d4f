-- The closing balance of each day that a statement reported one for, and the sum of all lines until
-- then, up to a day and as known at a moment. Of several statements of a day the last one closes it.
WITH known AS (
    SELECT line.booked_on, sum(line.net) AS net
    FROM reconciliation_statementline AS line
    JOIN reconciliation_statementfile AS file ON file.id = line.file_id
    WHERE line.source_account_id = %(source_account_id)s::bigint
        AND line.booked_on <= %(day)s::date
        AND coalesce(line.corrected_at, file.loaded_at) <= %(known_at)s::timestamptz
    GROUP BY line.booked_on
),
closing AS (
    SELECT DISTINCT ON (statement.last_day)
           statement.last_day, statement.closing_balance, statement.identifier
    FROM reconciliation_statement AS statement
    JOIN reconciliation_statementfile AS file ON file.id = statement.file_id
    WHERE statement.source_account_id = %(source_account_id)s::bigint
        AND statement.closing_balance IS NOT NULL
        AND statement.last_day <= %(day)s::date
        AND file.loaded_at <= %(known_at)s::timestamptz
    ORDER BY statement.last_day, statement.id DESC
)
SELECT last_day, closing_balance, identifier,
       (SELECT coalesce(sum(net), 0) FROM known WHERE booked_on <= last_day)::bigint AS lines
FROM closing
UNION ALL
SELECT %(day)s::date, NULL, '', (SELECT coalesce(sum(net), 0) FROM known)::bigint
ORDER BY last_day, closing_balance NULLS LAST
