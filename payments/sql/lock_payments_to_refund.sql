-- Lock payments by merchant and reference, in id order, and say what refunds of them go by.
SELECT payment.id, payment.merchant_id, payment.reference, gateway.code AS gateway,
       payment.currency, payment.amount_captured, payment.amount_refunded, payment.fee,
       payment.fee_plan_id
FROM payments_payment AS payment
JOIN payments_gateway AS gateway ON gateway.id = payment.gateway_id
WHERE payment.id IN (
    SELECT named.id
    FROM unnest(%(merchant_ids)s::bigint[], %(references)s::text[]) AS wish (merchant_id, reference)
    CROSS JOIN LATERAL (
        SELECT id FROM payments_payment
        WHERE merchant_id = wish.merchant_id AND reference = wish.reference
        LIMIT 1
    ) AS named
)
ORDER BY payment.id
FOR UPDATE OF payment
