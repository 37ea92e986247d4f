-- Stored answers (202) whose payment, refund or transfer is not there as it was answered.
-- Amounts are answered with all decimals of their currency: without the point, minor units.
WITH answer AS (
    SELECT route, key, merchant_id, split_part(location, '/', 5) AS public_id,
           replace(said.amount, '.', '')::bigint AS amount, said.currency
    FROM payments_idempotencykey,
        json_to_record(convert_from(body, 'UTF8')::json) AS said (amount text, currency text)
    WHERE http_status = 202 AND location <> ''
),
kept AS MATERIALIZED (
    SELECT public_id, merchant_id, idempotency_key, amount, currency FROM payments_payment
    UNION ALL
    SELECT public_id, merchant_id, idempotency_key, amount, currency FROM payments_refund
    UNION ALL
    SELECT public_id, merchant_id, idempotency_key, amount, currency FROM payments_transfer
),
-- All of them: in search of the first few in order, the planner joins row by row.
offender AS MATERIALIZED (
    SELECT answer.route || ' ' || answer.key AS subject,
           CASE WHEN kept.public_id IS NULL THEN answer.public_id || ' is not there'
                WHEN kept.merchant_id <> answer.merchant_id THEN kept.public_id || ' is another''s'
                WHEN kept.idempotency_key <> answer.key
                    AND answer.route IN ('create_payment', 'create_transaction', 'create_refund')
                    THEN kept.public_id || ' has another key: ' || kept.idempotency_key
                ELSE kept.public_id || ' is ' || kept.amount || ' ' || kept.currency || ', answered was '
                    || answer.amount || ' ' || answer.currency
           END AS problem
    FROM answer LEFT JOIN kept USING (public_id)
    WHERE kept.public_id IS NULL
        OR kept.merchant_id <> answer.merchant_id
        OR kept.idempotency_key <> answer.key
            AND answer.route IN ('create_payment', 'create_transaction', 'create_refund')
        OR answer.amount <> kept.amount
        OR answer.currency <> kept.currency
)
SELECT subject, problem FROM offender ORDER BY subject LIMIT 20
