-- How many payments and refunds a gateway was asked for and has not answered, and the oldest.
SELECT count(*)::int AS number,
       extract(epoch FROM statement_timestamp() - min(created_at))::int AS oldest_seconds
FROM (
    SELECT created_at FROM payments_payment WHERE status = 'PROCESSING'
    UNION ALL
    SELECT created_at FROM payments_refund WHERE status = 'PROCESSING'
) AS unknown
