-- What was written under these keys before, looked up one by one: no plan may read the whole table.
SELECT wish.position, known.request_digest
FROM unnest(%(merchant_ids)s::bigint[], %(keys)s::text[])
    WITH ORDINALITY AS wish (merchant_id, key, position)
CROSS JOIN LATERAL (
    SELECT request_digest FROM payments_payment
    WHERE merchant_id = wish.merchant_id AND idempotency_key = wish.key
    LIMIT 1
) AS known
