-- Write payments down with their idempotency keys and answers, those that nothing speaks against.
-- The unique constraints find used keys and references, so the plan is the same however full the
-- tables are, and may be kept.
WITH caller AS (
    SELECT merchant.id AS merchant_id,
           (
               SELECT id FROM payments_gateway
               WHERE adapter <> 'none' AND id = coalesce(merchant.gateway_id, id)
               ORDER BY id LIMIT 1
           ) AS gateway_id
    FROM payments_merchant AS merchant
    WHERE merchant.id = %(merchant_id)s::bigint AND (%(api_key_digest)s::text = '' OR EXISTS (
        SELECT FROM payments_apikey AS key
        WHERE key.digest = %(api_key_digest)s::text AND key.merchant_id = merchant.id
            AND key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > statement_timestamp())
            AND 'payments:write' = ANY(key.scopes)
    ))
),
wish AS MATERIALIZED (
    SELECT * FROM unnest(
        %(public_ids)s::text[], %(keys)s::text[], %(request_digests)s::bytea[],
        %(request_ids)s::text[], %(locations)s::text[], %(bodies)s::bytea[],
        %(references)s::text[], %(amounts)s::bigint[], %(currencies)s::text[],
        %(captures)s::text[], %(sources)s::text[], %(descriptions)s::text[],
        %(metadata)s::jsonb[], %(created_by)s::text[], %(created_at)s::timestamptz[]
    ) AS wish (
        public_id, key, request_digest, request_id, location, body, reference, amount, currency,
        capture, source, description, metadata, created_by, created_at
    )
),
fresh AS MATERIALIZED (
    SELECT wish.*, caller.merchant_id, caller.gateway_id
    FROM wish CROSS JOIN caller
    WHERE caller.gateway_id IS NOT NULL
        AND pg_try_advisory_xact_lock(hashtextextended(
            caller.merchant_id::text || ':' || %(route)s::text || ':' || wish.key, 0
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
           capture, 0, 0, 0, source, description, metadata, 'PENDING', '', '', '', '', false,
           created_by, created_at, created_at, created_at, 0, 0
    FROM fresh
    ON CONFLICT DO NOTHING
    RETURNING idempotency_key
)
INSERT INTO payments_idempotencykey (
    merchant_id, route, key, request_digest, request_id, http_status, location, body, created_at
)
SELECT merchant_id, %(route)s::text, key, request_digest, request_id, 202, location, body, created_at
FROM fresh JOIN written ON written.idempotency_key = fresh.key
RETURNING key
