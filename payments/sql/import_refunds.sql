-- Write refunds of another system down as they ended there: all of them succeeded, none is due.
INSERT INTO payments_refund (
    public_id, payment_id, merchant_id, idempotency_key, request_digest, reference, amount,
    currency, fee_returned, reason, status, failure_code, failure_reason, gateway_reference,
    created_by, created_at, updated_at, effective_at, settlement_currency, settlement_due_on,
    processor_fee_expected, processor_fee_currency, attempts, fence
)
SELECT public_id, payment_id, merchant_id, key, digest, reference, amount, currency, fee_returned,
       '', 'SUCCEEDED', '', '', '', %(created_by)s::text, effective_at, now(), effective_at,
       settlement_currency, settlement_due_on, processor_fee, processor_fee_currency, 0, 0
FROM unnest(
    %(public_ids)s::text[], %(payment_ids)s::bigint[], %(merchant_ids)s::bigint[], %(keys)s::text[],
    %(digests)s::text[], %(references)s::text[], %(amounts)s::bigint[], %(currencies)s::text[],
    %(fees_returned)s::bigint[], %(effective_ats)s::timestamptz[],
    %(settlement_currencies)s::text[], %(settlement_dues)s::date[], %(processor_fees)s::bigint[],
    %(processor_fee_currencies)s::text[]
) AS history (
    public_id, payment_id, merchant_id, key, digest, reference, amount, currency, fee_returned,
    effective_at, settlement_currency, settlement_due_on, processor_fee, processor_fee_currency
)
