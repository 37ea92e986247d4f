-- What processors kept by the lines of some matches, by account and day, and in which of the matches.
-- OFFSET 0 keeps each look-up one by index: a pass over a whole table per chunk would take hours for a
-- million.
WITH match AS MATERIALIZED (
    SELECT id, line_id FROM reconciliation_match
    WHERE run_id = %(run_id)s::bigint AND id > %(after)s::bigint AND id <= %(through)s::bigint
        AND kind IN ('payment', 'refund', 'dispute', 'won_dispute')
)
SELECT line.source_account_id, line.booked_on, min(match.id) AS first_match,
       max(match.id) AS last_match, count(*) AS match_count,
       sum(greatest(line.fee, 0))::bigint AS charged,
       sum(greatest(-line.fee, 0))::bigint AS given_back
FROM match
CROSS JOIN LATERAL (
    SELECT source_account_id, booked_on, fee FROM reconciliation_statementline
    WHERE id = match.line_id OFFSET 0
) AS line
WHERE line.fee <> 0
GROUP BY line.source_account_id, line.booked_on
ORDER BY line.source_account_id, line.booked_on
