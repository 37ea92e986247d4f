-- The lowest id that an event of a time may have: that of its hours, each the lowest of its own. Ids
-- follow the clock, but those of a long transaction come later than what it tells.
WITH RECURSIVE hour AS (
    (
        SELECT date_trunc('hour', created_at AT TIME ZONE 'UTC') AS start, id FROM payments_event
        WHERE date_trunc('hour', created_at AT TIME ZONE 'UTC')
            >= date_trunc('hour', %(since)s::timestamptz AT TIME ZONE 'UTC')
            AND date_trunc('hour', created_at AT TIME ZONE 'UTC')
                < %(until)s::timestamptz AT TIME ZONE 'UTC'
        ORDER BY 1, id LIMIT 1
    )
    UNION ALL
    SELECT next.start, next.id FROM hour CROSS JOIN LATERAL (
        SELECT date_trunc('hour', created_at AT TIME ZONE 'UTC') AS start, id FROM payments_event
        WHERE date_trunc('hour', created_at AT TIME ZONE 'UTC') > hour.start
        ORDER BY 1, id LIMIT 1
    ) AS next
    WHERE next.start < %(until)s::timestamptz AT TIME ZONE 'UTC'
)
SELECT min(id) AS id FROM hour
