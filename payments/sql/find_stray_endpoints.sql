-- Endpoints whose deliveries are not as they are: due although it is not enabled, or waiting for an
-- endpoint that is enabled or removed. Hops from endpoint to endpoint, however many wait for each.
WITH RECURSIVE due AS (
    (SELECT endpoint_id FROM payments_webhookdelivery
     WHERE due_at IS NOT NULL ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT delivery.endpoint_id FROM payments_webhookdelivery AS delivery
        WHERE delivery.due_at IS NOT NULL AND delivery.endpoint_id > due.endpoint_id
        ORDER BY delivery.endpoint_id LIMIT 1
    )
    FROM due WHERE due.endpoint_id IS NOT NULL
),
waiting AS (
    (SELECT endpoint_id FROM payments_webhookdelivery
     WHERE due_at IS NULL AND status = 'PENDING' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT delivery.endpoint_id FROM payments_webhookdelivery AS delivery
        WHERE delivery.due_at IS NULL AND delivery.status = 'PENDING'
            AND delivery.endpoint_id > waiting.endpoint_id
        ORDER BY delivery.endpoint_id LIMIT 1
    )
    FROM waiting WHERE waiting.endpoint_id IS NOT NULL
)
SELECT endpoint.id FROM due
JOIN payments_webhookendpoint AS endpoint
    ON endpoint.id = due.endpoint_id AND endpoint.status <> 'ENABLED'
WHERE EXISTS (
    SELECT FROM payments_webhookdelivery AS delivery
    WHERE delivery.endpoint_id = endpoint.id AND delivery.due_at IS NOT NULL
        AND (delivery.holder IS NULL OR delivery.leased_until <= %(now)s::timestamptz)
)
UNION
SELECT endpoint.id FROM waiting
JOIN payments_webhookendpoint AS endpoint ON endpoint.id = waiting.endpoint_id
WHERE endpoint.removed_at IS NOT NULL OR endpoint.status = 'ENABLED' AND EXISTS (
    SELECT FROM payments_webhookdelivery AS delivery
    WHERE delivery.endpoint_id = endpoint.id AND delivery.due_at IS NULL
        AND delivery.status = 'PENDING' AND delivery.holder IS NULL AND NOT EXISTS (
            SELECT FROM payments_parkedwork AS parked
            WHERE parked.queue = 'payments_webhookdelivery' AND parked.row_id = delivery.id
                AND parked.resolved_at IS NULL
        )
)
