-- Payments and refunds in a state that nothing leads to.
WITH refunded AS (
    SELECT payment_id, sum(amount) FILTER (WHERE status <> 'FAILED') AS amount
    FROM payments_refund GROUP BY payment_id
)
SELECT payment.public_id AS subject,
       CASE WHEN coalesce(refunded.amount, 0) <> payment.amount_refunded
                THEN payment.amount_refunded || ' is refunded, its refunds are '
                    || coalesce(refunded.amount, 0)
            WHEN payment.status = 'PENDING' THEN 'it is PENDING after ' || attempts || ' attempts'
            ELSE 'it is ' || payment.status || ' with ' || payment.capture || ' capture' END
           AS problem
FROM payments_payment AS payment
LEFT JOIN refunded ON refunded.payment_id = payment.id
WHERE coalesce(refunded.amount, 0) <> payment.amount_refunded
    OR payment.status = 'PENDING' AND attempts > 0
    OR payment.status IN ('AUTHORIZED', 'CANCELED', 'EXPIRED')
        AND (payment.capture <> 'manual' OR payment.authorized_until IS NULL)
UNION ALL
SELECT payment.public_id, 'it is of merchant ' || payment.merchant_id || ' through gateway '
    || payment.gateway_id || ', which are not both there'
FROM payments_payment AS payment
LEFT JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
LEFT JOIN payments_gateway AS gateway ON gateway.id = payment.gateway_id
WHERE merchant.id IS NULL OR gateway.id IS NULL
UNION ALL
SELECT claim.public_id, 'its payment is ' || payment.status || ', ' || payment.currency
    || ' of merchant ' || payment.merchant_id
FROM (
    SELECT public_id, payment_id, merchant_id, currency FROM payments_refund
    UNION ALL
    SELECT public_id, payment_id, merchant_id, currency FROM payments_dispute
) AS claim
JOIN payments_payment AS payment ON payment.id = claim.payment_id
WHERE payment.status <> 'SUCCEEDED'
    OR (payment.merchant_id, payment.currency) <> (claim.merchant_id, claim.currency)
ORDER BY subject LIMIT 20
