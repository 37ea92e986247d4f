-- The payment before the first one that may still join a batch, or the last one that is looked at.
SELECT coalesce(
    (
        SELECT id - 1 FROM payments_payment AS payment
        WHERE id > %(after)s::bigint AND id <= %(last)s::bigint
            AND (
                status IN ('PENDING', 'PROCESSING', 'AUTHORIZED')
                OR status = 'SUCCEEDED' AND NOT is_settled_elsewhere AND NOT EXISTS (
                    SELECT FROM settlements_settlement WHERE payment_id = payment.id
                )
            )
        ORDER BY id LIMIT 1
    ),
    %(last)s::bigint
) AS through
