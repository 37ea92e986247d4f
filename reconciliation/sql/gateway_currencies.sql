-- Currencies in which a gateway took payments for us.
SELECT DISTINCT currency FROM payments_payment
WHERE gateway_id = %(gateway_id)s AND NOT is_settled_elsewhere AND status = 'SUCCEEDED'
