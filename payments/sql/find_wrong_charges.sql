-- Payments and refunds which the simulated processor's own journal contradicts.
-- What is over moved once, with its amount, or never; what is under way moved at most once.
WITH simulated AS (
    SELECT id, code FROM payments_gateway WHERE adapter = 'simulator'
),
moved AS (
    SELECT subject, count(*) FILTER (WHERE has_moved) AS times,
           sum(amount) FILTER (WHERE has_moved) AS amount,
           min(currency) AS currency, min(gateway) AS gateway
    FROM (
        SELECT split_part(key, ':', 1) AS subject, amount, currency, gateway,
               outcome = 'accepted' AND kind IN ('charge', 'capture', 'refund') AS has_moved
        FROM payments_simulatedoperation WHERE gateway IN (SELECT code FROM simulated)
    ) AS operation
    GROUP BY subject
),
known AS (
    SELECT payment.public_id AS subject, status, currency, simulated.code AS gateway,
           CASE WHEN status = 'SUCCEEDED' THEN amount_captured
                ELSE coalesce(amount_to_capture, amount) END AS amount
    FROM payments_payment AS payment JOIN simulated ON simulated.id = payment.gateway_id
    -- History of another system was charged there.
    WHERE attempts > 0 OR NOT starts_with(idempotency_key, 'import:')
    UNION ALL
    SELECT refund.public_id, refund.status, refund.currency, simulated.code, refund.amount
    FROM payments_refund AS refund
    JOIN payments_payment AS payment ON payment.id = refund.payment_id
    JOIN simulated ON simulated.id = payment.gateway_id
    WHERE refund.attempts > 0 OR NOT starts_with(refund.idempotency_key, 'import:')
)
SELECT subject,
       CASE WHEN known.subject IS NULL THEN 'the simulator was asked for it, we know nothing of it'
            WHEN known.status = 'PENDING' THEN 'it is PENDING and the simulator was asked for it'
            WHEN moved.times > 1 THEN 'the simulator moved it ' || moved.times || ' times'
            WHEN coalesce(moved.times, 0) = 0
                THEN 'it is ' || known.status || ', the simulator moved nothing'
            WHEN known.status NOT IN ('SUCCEEDED', 'PROCESSING', 'AUTHORIZED')
                THEN 'it is ' || known.status || ', the simulator moved it'
            ELSE 'it is ' || known.amount || ' ' || known.currency || ' of ' || known.gateway
                || ', the simulator moved ' || moved.amount || ' ' || moved.currency || ' of '
                || moved.gateway
       END AS problem
FROM known FULL JOIN moved USING (subject)
WHERE known.subject IS NULL
    OR (known.status = 'PENDING' AND moved.subject IS NOT NULL)
    OR moved.times > 1
    OR known.status = 'SUCCEEDED' AND coalesce(moved.times, 0) = 0
    OR moved.times = 1 AND known.status NOT IN ('SUCCEEDED', 'PROCESSING', 'AUTHORIZED')
    OR moved.times = 1 AND (known.amount, known.currency, known.gateway)
        IS DISTINCT FROM (moved.amount, moved.currency, moved.gateway)
ORDER BY subject LIMIT 20
