-- Rows of work that are held past their lease, that nobody will ever take, or that are over and not
-- left alone. A parked row waits for a person, an open job for the one before it.
WITH parked AS (
    SELECT queue, row_id FROM payments_parkedwork WHERE resolved_at IS NULL
),
work AS (
    SELECT 'payments_payment' AS queue, id, public_id AS subject, due_at, holder, leased_until,
           status IN ('PENDING', 'PROCESSING', 'AUTHORIZED') AS is_open
    FROM payments_payment
    UNION ALL
    SELECT 'payments_refund', id, public_id, due_at, holder, leased_until,
           status IN ('PENDING', 'PROCESSING')
    FROM payments_refund
    UNION ALL
    SELECT 'payments_transfer', id, public_id, due_at, holder, leased_until,
           status IN ('ACCEPTED', 'PROCESSING')
    FROM payments_transfer
    UNION ALL
    SELECT 'payments_gatewayevent', id, event_id, due_at, holder, leased_until, status = 'RECEIVED'
    FROM payments_gatewayevent
    UNION ALL
    -- One for an endpoint that is disabled waits for that.
    SELECT 'payments_webhookdelivery', delivery.id, delivery.public_id, delivery.due_at,
           delivery.holder, delivery.leased_until,
           delivery.status = 'PENDING' AND (endpoint.status = 'ENABLED'
               OR delivery.due_at IS NOT NULL OR delivery.holder IS NOT NULL)
    FROM payments_webhookdelivery AS delivery
    JOIN payments_webhookendpoint AS endpoint ON endpoint.id = delivery.endpoint_id
    UNION ALL
    SELECT 'payments_jobrun', id, job || ' ' || business_period, due_at, holder, leased_until,
           status = 'DUE' AND NOT EXISTS (
               SELECT FROM payments_jobrun AS earlier
               WHERE earlier.job = run.job AND earlier.status = 'DUE'
                   AND earlier.business_period < run.business_period
           ) OR status = 'DUE' AND (due_at IS NOT NULL OR holder IS NOT NULL)
    FROM payments_jobrun AS run
)
SELECT subject,
       CASE WHEN NOT is_open THEN 'it is over and still due or held'
            WHEN holder IS NOT NULL THEN 'its lease ended at ' || leased_until
                || ', heartbeat ' || holder || ' holds it still'
            ELSE 'it is open, not due and not parked' END AS problem
FROM work
WHERE (NOT is_open AND (due_at IS NOT NULL OR holder IS NOT NULL))
    OR holder IS NOT NULL
        AND leased_until < statement_timestamp() - make_interval(secs => %(patience)s::integer)
    OR is_open AND due_at IS NULL AND holder IS NULL
        AND (queue, id) NOT IN (SELECT queue, row_id FROM parked)
ORDER BY leased_until, subject LIMIT 20
