-- Choose due deliveries to take now: each endpoint's oldest in turn, no more than it may have in hand,
-- than its merchant may, and than all those may together whose endpoints are failing.
WITH RECURSIVE waiting AS (
    -- Hops from endpoint to endpoint, so that the length of their queues does not matter.
    (SELECT endpoint_id FROM payments_webhookdelivery
     WHERE due_at IS NOT NULL ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT delivery.endpoint_id FROM payments_webhookdelivery AS delivery
        WHERE delivery.due_at IS NOT NULL AND delivery.endpoint_id > waiting.endpoint_id
        ORDER BY delivery.endpoint_id LIMIT 1
    )
    FROM waiting WHERE waiting.endpoint_id IS NOT NULL
),
in_hand AS (
    SELECT delivery.endpoint_id, coalesce(endpoint.merchant_id, 0) AS merchant_id,
        endpoint.failing_since IS NOT NULL AS is_failing, count(*) AS deliveries
    FROM payments_webhookdelivery AS delivery
    JOIN payments_webhookendpoint AS endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.holder IS NOT NULL AND delivery.leased_until > %(now)s::timestamptz
    GROUP BY delivery.endpoint_id, endpoint.id
),
candidate AS (
    SELECT delivery.id, delivery.due_at, coalesce(endpoint.merchant_id, 0) AS merchant_id,
        endpoint.failing_since IS NOT NULL AS is_failing,
        row_number() OVER (PARTITION BY endpoint.id ORDER BY delivery.due_at, delivery.id) AS turn
    FROM waiting
    JOIN payments_webhookendpoint AS endpoint
        ON endpoint.id = waiting.endpoint_id AND endpoint.status = 'ENABLED'
    LEFT JOIN in_hand ON in_hand.endpoint_id = endpoint.id
    CROSS JOIN LATERAL (
        SELECT queued.id, queued.due_at FROM payments_webhookdelivery AS queued
        WHERE queued.endpoint_id = endpoint.id AND queued.due_at <= %(now)s::timestamptz
            AND (queued.holder IS NULL OR queued.leased_until <= %(now)s::timestamptz)
        ORDER BY queued.due_at, queued.id
        LIMIT greatest(endpoint.concurrency - coalesce(in_hand.deliveries, 0), 0)
    ) AS delivery
),
of_merchant AS (
    SELECT candidate.*,
        row_number() OVER (PARTITION BY merchant_id ORDER BY turn, due_at, id)
            + coalesce((SELECT sum(deliveries) FROM in_hand
                        WHERE in_hand.merchant_id = candidate.merchant_id), 0) AS place
    FROM candidate
),
alike AS (
    SELECT of_merchant.id, due_at, turn, is_failing,
        row_number() OVER (PARTITION BY is_failing ORDER BY turn, due_at, id)
            + coalesce((SELECT sum(deliveries) FROM in_hand WHERE in_hand.is_failing), 0) AS place
    FROM of_merchant WHERE place <= %(merchant_max)s::integer
)
SELECT id FROM alike
WHERE NOT is_failing OR place <= %(failing_max)s::integer
ORDER BY turn, due_at, id
LIMIT %(free)s::integer
