-- Things that are over without exactly one event that says so, as their last; events about nothing;
-- events that are missing between two others.
WITH told AS (
    SELECT subject, count(*) AS times, min(sequence) AS oldest, max(sequence) AS newest,
           count(*) FILTER (WHERE is_end) AS ends, min(type) FILTER (WHERE is_end) AS ending,
           max(sequence) FILTER (WHERE is_end) AS ended
    FROM (
        SELECT subject, type, sequence, type IN (
            'payment.succeeded', 'payment.failed', 'payment.canceled', 'payment.expired',
            'refund.succeeded', 'refund.failed', 'transfer.completed', 'transfer.failed',
            'dispute.won', 'dispute.lost'
        ) AS is_end
        FROM payments_event
    ) AS event
    GROUP BY subject
),
fact AS (
    SELECT public_id AS subject, created_at,
           CASE WHEN status NOT IN ('PENDING', 'PROCESSING', 'AUTHORIZED')
               THEN 'payment.' || lower(status) END AS ending
    FROM payments_payment
    WHERE attempts > 0 OR NOT starts_with(idempotency_key, 'import:')  -- of another system
    UNION ALL
    SELECT public_id, created_at,
           CASE WHEN status NOT IN ('PENDING', 'PROCESSING') THEN 'refund.' || lower(status) END
    FROM payments_refund
    WHERE attempts > 0 OR NOT starts_with(idempotency_key, 'import:')
    UNION ALL
    SELECT public_id, created_at,
           CASE WHEN status NOT IN ('ACCEPTED', 'PROCESSING') THEN 'transfer.' || lower(status) END
    FROM payments_transfer
    UNION ALL
    SELECT public_id, created_at,
           CASE WHEN status IN ('WON', 'LOST') THEN 'dispute.' || lower(status) END
    FROM payments_dispute
),
-- The first events about what is older than this may be purged, and all of them when it is over.
kept AS (
    SELECT now() - %(kept_for)s::interval AS since
)
SELECT subject,
       CASE WHEN told.times <> told.newest - told.oldest + 1
                OR told.oldest > 1 AND fact.created_at >= kept.since
                THEN told.times || ' events, the last of them is number ' || told.newest
            WHEN fact.subject IS NULL THEN 'events tell of what is not there'
            WHEN told.ends > 1 THEN told.ends || ' events say that it is over'
            WHEN fact.ending IS DISTINCT FROM told.ending
                THEN 'it is ' || coalesce(fact.ending, 'not over') || ', told is '
                    || coalesce(told.ending, 'nothing')
            ELSE 'something was told after ' || told.ending END AS problem
FROM fact FULL JOIN told USING (subject)
CROSS JOIN kept
WHERE told.times <> told.newest - told.oldest + 1
    OR told.oldest > 1 AND fact.created_at >= kept.since
    OR fact.subject IS NULL AND split_part(subject, '_', 1) IN ('pay', 're', 'tr', 'dp')
    OR told.ends > 1
    OR fact.subject IS NOT NULL AND fact.ending IS DISTINCT FROM told.ending
        AND (told.subject IS NOT NULL OR fact.created_at >= kept.since)
    OR told.ended < told.newest
ORDER BY subject LIMIT 20
