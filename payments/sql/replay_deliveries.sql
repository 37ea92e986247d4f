-- Make the events of a range due for an endpoint, whether it was sent them before or not, one after
-- the other; whose locked row the caller holds.
INSERT INTO payments_webhookdelivery AS delivery (
    public_id, event_id, endpoint_id, status, tries, due_at, created_at
)
SELECT 'wd_' || replace(uuidv7()::text, '-', ''), event.id, event.endpoint_id, 'PENDING', 0,
    %(now)s::timestamptz
        + make_interval(secs => (event.place - 1) / %(per_second)s::double precision),
    %(now)s::timestamptz
FROM (
    SELECT event.id, endpoint.id AS endpoint_id, row_number() OVER (ORDER BY event.id) AS place
    FROM payments_webhookendpoint AS endpoint
    JOIN payments_event AS event
        ON endpoint.merchant_id IS NULL OR event.merchant_id = endpoint.merchant_id
    WHERE endpoint.id = %(endpoint_id)s::bigint
        AND event.created_at >= %(since)s::timestamptz AND event.created_at < %(until)s::timestamptz
        AND event.type <> %(except_type)s::text
        AND endpoint.event_types
            && ARRAY['*', split_part(event.type, '.', 1) || '.*', event.type]::varchar[]
    ORDER BY event.id
    LIMIT %(limit)s::integer
) AS event
ORDER BY event.id
ON CONFLICT (endpoint_id, event_id) DO UPDATE
SET status = 'PENDING', tries = 0, due_at = excluded.due_at, fence = delivery.fence + 1,
    holder = NULL
WHERE delivery.holder IS NULL OR delivery.leased_until <= %(now)s::timestamptz
