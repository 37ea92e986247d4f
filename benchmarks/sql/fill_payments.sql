-- Succeeded payments of 1,000 merchants, spread evenly; what they posted is left out.
INSERT INTO payments_payment (
    public_id, merchant_id, gateway_id, idempotency_key, request_digest, reference, amount, currency,
    settlement_currency, capture, source, description, metadata, created_by, created_at, updated_at,
    effective_at, attempts, failures, deaths, fence, status, amount_captured, amount_refunded, fee,
    failure_code, failure_reason, gateway_reference, processor_fee_currency, is_settled_elsewhere
)
SELECT 'pay_' || replace(uuidv7()::text, '-', ''), merchant.id, gateway.id, gen_random_uuid(), '',
    gen_random_uuid(), 1000 + number %% 9000, 'EUR', 'EUR', 'automatic', 'tok_visa', '', '{}',
    'bench', now(), now(), now(), 1, 0, 0, 1, 'SUCCEEDED', 1000 + number %% 9000, 0, 30 + number %% 90,
    '', '', '', '', false
FROM generate_series(1, %(payments)s::int) AS number
JOIN payments_gateway AS gateway ON gateway.code = 'bench'
JOIN payments_merchant AS merchant ON merchant.code = 'bench' || number %% 1000
