-- All items there are, with references reduced to what survives retyping. Read by several processes, so
-- nothing here may be a temporary table.
CREATE TEMPORARY TABLE known_item ON COMMIT DROP AS
SELECT 'payment' AS item_kind, payment.id AS item_id, 'charge' AS line_kind, payment.merchant_id,
       upper(regexp_replace(payment.reference, '[^A-Za-z0-9]', '', 'g')) AS key
FROM payments_payment AS payment
WHERE payment.gateway_id = %(gateway_id)s AND payment.status = 'SUCCEEDED'
UNION ALL
SELECT 'refund', refund.id, 'refund', refund.merchant_id,
       upper(regexp_replace(refund.reference, '[^A-Za-z0-9]', '', 'g'))
FROM payments_refund AS refund
JOIN payments_payment AS payment ON payment.id = refund.payment_id
WHERE payment.gateway_id = %(gateway_id)s AND refund.status = 'SUCCEEDED'
