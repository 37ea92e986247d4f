-- An account's discrepancies by type and currency from the end of one day to the end of another, as known
-- at a moment. A run opens and ends them on the day it is about, a person ends them when it is done.
WITH ended AS (
    SELECT id, resolved_at, resolved_by_id FROM reconciliation_discrepancy
    WHERE source_id = %(source_id)s::bigint AND resolved_at <= %(known_at)s::timestamptz
    UNION ALL
    SELECT discrepancy_id, resolved_at, resolved_by_id FROM reconciliation_undoneending
    WHERE resolved_at <= %(known_at)s::timestamptz AND undone_at > %(known_at)s::timestamptz
),
known AS (
    SELECT finding.type, finding.currency, finding.amount, opening.as_of AS opened_on,
           greatest(
               opening.as_of,
               coalesce(ending.as_of, (ended.resolved_at AT TIME ZONE %(zone)s::text)::date)
           ) AS ended_on,
           ended.id IS NOT NULL AS is_over
    FROM reconciliation_discrepancy AS finding
    JOIN reconciliation_reconciliationrun AS opening ON opening.id = finding.opened_by_id
    LEFT JOIN ended ON ended.id = finding.id
    LEFT JOIN reconciliation_reconciliationrun AS ending ON ending.id = ended.resolved_by_id
    LEFT JOIN reconciliation_statementline AS line ON line.id = finding.line_id
    WHERE finding.source_id = %(source_id)s::bigint
        AND finding.opened_at <= %(known_at)s::timestamptz
        AND opening.as_of <= %(day)s::date
        AND finding.currency <> 'XXX'
        AND (line.source_account_id = %(source_account_id)s::bigint
            OR (line.id IS NULL AND finding.currency = %(currency)s::text))
),
placed AS (
    SELECT type, currency, amount,
           opened_on > %(previous_day)s::date AS is_new,
           is_over AND ended_on <= %(previous_day)s::date AS is_past,
           is_over AND ended_on <= %(day)s::date AS is_ended
    FROM known
)
SELECT type, currency,
       count(*) FILTER (WHERE NOT is_new) AS opening_count,
       coalesce(sum(amount) FILTER (WHERE NOT is_new), 0)::bigint AS opening_amount,
       count(*) FILTER (WHERE is_new) AS new_count,
       coalesce(sum(amount) FILTER (WHERE is_new), 0)::bigint AS new_amount,
       count(*) FILTER (WHERE is_ended) AS resolved_count,
       coalesce(sum(amount) FILTER (WHERE is_ended), 0)::bigint AS resolved_amount,
       count(*) FILTER (WHERE NOT is_ended) AS closing_count,
       coalesce(sum(amount) FILTER (WHERE NOT is_ended), 0)::bigint AS closing_amount
FROM placed
WHERE NOT is_past
GROUP BY type, currency
ORDER BY type, currency
