-- Write payments down with their idempotency keys and answers, those that nothing speaks against.
-- The plan is the same however many they are and however full the tables: the unique constraints
-- find used keys and references. PostgreSQL keeps it if a new one would cost no less; therefore it
-- is not to see, behind (SELECT …), how many they are.
WITH merchant AS MATERIALIZED (
    SELECT merchant.id AS merchant_id,
           (
               SELECT id FROM payments_gateway
               WHERE adapter <> 'none' AND id = coalesce(merchant.gateway_id, id)
               ORDER BY id LIMIT 1
           ) AS gateway_id
    FROM payments_merchant AS merchant
    WHERE merchant.id = %(merchant_id)s::bigint
        AND (%(api_key_digest)s::text = '' OR (
            SELECT key.merchant_id FROM payments_apikey AS key
            WHERE key.digest = %(api_key_digest)s::text AND key.revoked_at IS NULL
                AND (key.expires_at IS NULL OR key.expires_at > statement_timestamp())
                AND 'payments:write' = ANY(key.scopes)
        ) = merchant.id)
),
wish AS MATERIALIZED (
    SELECT * FROM unnest(
        (SELECT %(public_ids)s::text[]), (SELECT %(keys)s::text[]),
        (SELECT %(request_digests)s::text[]), (SELECT %(request_ids)s::text[]),
        (SELECT %(locations)s::text[]), (SELECT %(body_starts)s::integer[]),
        (SELECT %(body_lengths)s::integer[]),
        (SELECT %(references)s::text[]), (SELECT %(amounts)s::bigint[]),
        (SELECT %(currencies)s::text[]), (SELECT %(sources)s::text[]),
        (SELECT %(descriptions)s::text[]), (SELECT %(metadata)s::jsonb[]),
        (SELECT %(created_at)s::timestamptz[])
    ) AS wish (
        public_id, key, request_digest, request_id, location, body_start, body_length, reference,
        amount, currency, source, description, metadata, created_at
    )
),
fresh AS MATERIALIZED (
    SELECT wish.*, merchant.merchant_id, merchant.gateway_id
    FROM wish CROSS JOIN merchant
    WHERE merchant.gateway_id IS NOT NULL
        AND pg_try_advisory_xact_lock(hashtextextended(
            merchant.merchant_id::text || ':' || %(route)s::text || ':' || wish.key, 0
        ))
),
written AS (
    INSERT INTO payments_payment (
        public_id, merchant_id, gateway_id, idempotency_key, request_digest, reference, amount,
        currency, settlement_currency, capture, amount_captured, amount_refunded, fee, source,
        description, metadata, status, failure_code, failure_reason, gateway_reference,
        processor_fee_currency, is_settled_elsewhere, created_by, created_at, updated_at, due_at,
        attempts, fence
    )
    SELECT public_id, merchant_id, gateway_id, key, '', reference, amount, currency, currency,
           %(capture)s::text, 0, 0, 0, source, description, metadata, 'PENDING', '', '', '', '',
           false, %(created_by)s::text, created_at, created_at, created_at, 0, 0
    FROM fresh
    ON CONFLICT DO NOTHING
    RETURNING public_id
),
answered AS (
    -- By the payment's own id: of two drafts with one key, only one is written.
    INSERT INTO payments_idempotencykey (
        merchant_id, route, key, request_digest, request_id, http_status, location, body, created_at
    )
    SELECT merchant_id, %(route)s::text, key, decode(request_digest, 'hex'), request_id, 202,
           location, substring((SELECT %(bodies)s::bytea) FROM body_start FOR body_length),
           created_at
    -- IS TRUE keeps it from becoming a join, which a plan made for few would do row by row.
    FROM fresh WHERE (public_id IN (SELECT public_id FROM written)) IS TRUE
)
SELECT public_id FROM written
