-- Succeeded payments of 100 merchants, all due in the processor's report of 18 March 2026; what they
-- posted is left out.
INSERT INTO payments_payment (
    public_id, merchant_id, gateway_id, idempotency_key, request_digest, reference, amount, currency,
    settlement_currency, settlement_due_on, processor_fee_expected, processor_fee_currency, capture,
    source, description, metadata, created_by, created_at, updated_at, effective_at, attempts,
    failures, deaths, fence, status, amount_captured, amount_refunded, fee, failure_code,
    failure_reason, gateway_reference, is_settled_elsewhere
)
SELECT 'pay_' || replace(uuidv7()::text, '-', ''), merchant.id, gateway.id, number::text, '',
    'REF-' || lpad(number::text, 12, '0'), 1000 + number %% 9000, 'EUR', 'EUR', '2026-03-18', 95, 'EUR',
    'automatic', 'tok_visa', '', '{}', 'bench', now(), now(), '2026-03-17 12:00+00', 1, 0, 0, 1,
    'SUCCEEDED', 1000 + number %% 9000, 0, 30, '', '', '', false
FROM generate_series(0, %(payments)s::int - 1) AS number
JOIN payments_gateway AS gateway ON gateway.code = 'bench'
JOIN payments_merchant AS merchant ON merchant.code = 'M' || number %% 100
