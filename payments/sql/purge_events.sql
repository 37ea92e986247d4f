-- Forget some of the oldest events that nothing needs any more, with their deliveries and attempts.
WITH old AS (
    SELECT id FROM payments_event AS event
    WHERE created_at < %(before)s::timestamptz
        AND date_trunc('hour', created_at AT TIME ZONE 'UTC')
            <= date_trunc('hour', %(before)s::timestamptz AT TIME ZONE 'UTC')
        AND (type = ANY(%(last)s::text[]) OR EXISTS (
            SELECT FROM payments_event AS later
            WHERE later.subject = event.subject AND later.sequence > event.sequence
        ))
    ORDER BY date_trunc('hour', created_at AT TIME ZONE 'UTC'), id
    LIMIT %(limit)s::int
),
attempt AS (
    DELETE FROM payments_webhookattempt AS attempt
    USING payments_webhookdelivery AS delivery, old
    WHERE attempt.delivery_id = delivery.id AND delivery.event_id = old.id
),
delivery AS (
    DELETE FROM payments_webhookdelivery AS delivery
    USING old
    WHERE delivery.event_id = old.id
)
DELETE FROM payments_event AS event
USING old
WHERE event.id = old.id
