-- The next lines of one account's statement, newest first; list_oldest_lines.sql goes the other way.
-- Ids in a gap were not in the journal when the listing began. What took effect in a period is
-- looked for only where the totals of its days, and the entries after the last seal, say it can be.
-- Account and entry are compared as one row and sorted by both, which only the index of an account's
-- postings can serve: the planner has no choice but to walk it and to stop at the limit. OFFSET 0
-- keeps it from joining entries otherwise than one by one.
WITH span AS (
    SELECT int8range(min(first_entry_id), max(last_entry_id), '[]') AS ids
    FROM ledger_daytotal
    WHERE (%(since)s::timestamptz IS NOT NULL OR %(until)s::timestamptz IS NOT NULL)
        AND account_id = %(account_id)s::bigint
        AND effective_on >= coalesce(%(since)s::timestamptz AT TIME ZONE 'UTC', '-infinity')::date
        AND effective_on < coalesce(%(until)s::timestamptz AT TIME ZONE 'UTC', 'infinity')
    GROUP BY posted_on
    UNION ALL
    SELECT int8range(
        CASE WHEN %(since)s::timestamptz IS NULL AND %(until)s::timestamptz IS NULL THEN 0
             ELSE (SELECT coalesce(max(last_entry_id), 0) + 1 FROM ledger_seal) END,
        NULL
    )
),
stretch AS (
    SELECT lower(ids) AS first_entry_id, upper(ids) - 1 AS last_entry_id
    FROM unnest(
        (SELECT range_agg(ids) FROM span) * int8multirange(int8range(0, %(entry_id)s::bigint, '[]'))
        - coalesce(%(gaps)s::int8multirange, '{}')
    ) AS ids
    ORDER BY first_entry_id DESC
)
SELECT line.*
FROM stretch
CROSS JOIN LATERAL (
    SELECT posting.entry_id, posting.position, posting.direction, posting.amount,
           entry.public_id, entry.kind, entry.reference, entry.effective_at, entry.posted_at
    FROM ledger_posting AS posting
    CROSS JOIN LATERAL (
        SELECT * FROM ledger_journalentry WHERE id = posting.entry_id OFFSET 0
    ) AS entry
    WHERE (posting.account_id, posting.entry_id)
            >= (%(account_id)s::bigint, stretch.first_entry_id)
        AND (posting.account_id, posting.entry_id)
            <= (%(account_id)s::bigint, stretch.last_entry_id)
        AND NOT (
            posting.entry_id = %(entry_id)s::bigint AND posting.position >= %(position)s::integer
        )
        AND entry.effective_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND entry.effective_at < coalesce(%(until)s::timestamptz, 'infinity')
    ORDER BY posting.account_id DESC, posting.entry_id DESC, posting.position DESC
    LIMIT %(limit)s::integer
) AS line
ORDER BY stretch.first_entry_id DESC, line.entry_id DESC, line.position DESC
LIMIT %(limit)s::integer
