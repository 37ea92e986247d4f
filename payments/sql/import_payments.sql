-- Write payments of another system down as they ended there: all of them succeeded, none is due.
INSERT INTO payments_payment (
    public_id, merchant_id, gateway_id, idempotency_key, request_digest, reference, amount,
    currency, capture, amount_captured, amount_refunded, fee, fee_plan_id, source, description,
    metadata, status, failure_code, failure_reason, gateway_reference, created_by, created_at,
    updated_at, effective_at, is_settled_elsewhere, settlement_currency, settlement_due_on,
    processor_fee_expected, processor_fee_currency, attempts, fence
)
SELECT public_id, merchant_id, gateway_id, key, digest, reference, amount, currency, 'automatic',
       amount, 0, fee, fee_plan_id, 'imported', '', jsonb_build_object('payment_id', external_id),
       'SUCCEEDED', '', '', '', %(created_by)s::text, effective_at, now(), effective_at, is_settled,
       settlement_currency, settlement_due_on, processor_fee, processor_fee_currency, 0, 0
FROM unnest(
    %(public_ids)s::text[], %(merchant_ids)s::bigint[], %(gateway_ids)s::bigint[], %(keys)s::text[],
    %(external_ids)s::text[], %(digests)s::text[], %(references)s::text[], %(amounts)s::bigint[],
    %(currencies)s::text[], %(fees)s::bigint[], %(fee_plan_ids)s::bigint[],
    %(effective_ats)s::timestamptz[], %(settled)s::boolean[], %(settlement_currencies)s::text[],
    %(settlement_dues)s::date[], %(processor_fees)s::bigint[], %(processor_fee_currencies)s::text[]
) AS history (
    public_id, merchant_id, gateway_id, key, external_id, digest, reference, amount, currency, fee,
    fee_plan_id, effective_at, is_settled, settlement_currency, settlement_due_on, processor_fee,
    processor_fee_currency
)
