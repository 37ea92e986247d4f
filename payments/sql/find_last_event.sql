-- The highest id that an event of a time may have: that of its hours, each the highest of its own.
WITH RECURSIVE hour AS (
    (
        SELECT date_trunc('hour', created_at AT TIME ZONE 'UTC') AS start, id FROM payments_event
        WHERE date_trunc('hour', created_at AT TIME ZONE 'UTC')
            < %(until)s::timestamptz AT TIME ZONE 'UTC'
            AND date_trunc('hour', created_at AT TIME ZONE 'UTC')
                >= date_trunc('hour', %(since)s::timestamptz AT TIME ZONE 'UTC')
        ORDER BY 1 DESC, id DESC LIMIT 1
    )
    UNION ALL
    SELECT before.start, before.id FROM hour CROSS JOIN LATERAL (
        SELECT date_trunc('hour', created_at AT TIME ZONE 'UTC') AS start, id FROM payments_event
        WHERE date_trunc('hour', created_at AT TIME ZONE 'UTC') < hour.start
        ORDER BY 1 DESC, id DESC LIMIT 1
    ) AS before
    WHERE before.start >= date_trunc('hour', %(since)s::timestamptz AT TIME ZONE 'UTC')
)
SELECT max(id) AS id FROM hour
