-- Make events due for an endpoint whose locked row the caller holds, one after the other, whether it was
-- sent them before or not; but those that are being delivered right now.
INSERT INTO payments_webhookdelivery AS delivery (
    public_id, event_id, endpoint_id, status, tries, due_at, created_at
)
SELECT 'wd_' || replace(uuidv7()::text, '-', ''), event.id, %(endpoint_id)s::bigint, 'PENDING', 0,
    %(now)s::timestamptz
        + make_interval(secs => (event.place - 1) / %(per_second)s::double precision),
    %(now)s::timestamptz
FROM unnest(%(event_ids)s::bigint[]) WITH ORDINALITY AS event (id, place)
ORDER BY event.id
ON CONFLICT (endpoint_id, event_id) DO UPDATE
SET status = 'PENDING', tries = 0, due_at = excluded.due_at, fence = delivery.fence + 1,
    holder = NULL
WHERE delivery.holder IS NULL OR delivery.leased_until <= %(now)s::timestamptz
