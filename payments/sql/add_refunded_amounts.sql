-- Count refunds against their payments, of which each is named once.
UPDATE payments_payment AS payment
SET amount_refunded = payment.amount_refunded + refunded.amount
FROM unnest(%(payment_ids)s::bigint[], %(amounts)s::bigint[]) AS refunded (payment_id, amount)
WHERE payment.id = refunded.payment_id
