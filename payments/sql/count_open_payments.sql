-- Payments that are not final, by gateway and status; how many nobody knows the outcome of, since when.
WITH open_payments AS (
    SELECT gateway_id, status, created_at,
           status = 'PROCESSING'
           AND (holder IS NULL OR leased_until <= now()) AS is_unknown
    FROM payments_payment
    WHERE due_at IS NOT NULL
    UNION ALL
    SELECT gateway_id, status, created_at, status = 'PROCESSING'
    FROM payments_payment
    WHERE due_at IS NULL
        AND status IN ('PENDING', 'PROCESSING', 'AUTHORIZED')
        AND id = ANY (
            ARRAY(
                SELECT row_id
                FROM payments_parkedwork
                WHERE queue = 'payments_payment' AND resolved_at IS NULL
            )
        )
)
SELECT gateway.code AS gateway,
       status,
       count(*) AS count,
       count(*) FILTER (WHERE is_unknown) AS unknown,
       coalesce(
           extract(epoch FROM now() - min(created_at) FILTER (WHERE is_unknown)), 0
       )::bigint AS unknown_seconds
FROM open_payments
JOIN payments_gateway AS gateway ON gateway.id = gateway_id
GROUP BY gateway.code, status
ORDER BY gateway.code, status
