-- Write the gateways' outcomes to a batch of payments whose locks and fences the caller holds.
UPDATE payments_payment AS payment
SET status = outcome.status,
    amount_captured = outcome.captured,
    amount_to_capture = outcome.to_capture,
    cancel_requested_at = outcome.cancel_requested_at,
    authorized_until = outcome.authorized_until,
    fee = outcome.fee,
    fee_plan_id = outcome.fee_plan_id,
    failure_code = outcome.failure_code,
    failure_reason = outcome.failure_reason,
    gateway_reference = outcome.gateway_reference,
    effective_at = outcome.effective_at,
    due_at = outcome.due_at,
    holder = NULL,
    settlement_due_on = outcome.settlement_due_on,
    processor_fee_expected = outcome.processor_fee,
    processor_fee_currency = outcome.processor_fee_currency,
    updated_at = %(updated_at)s::timestamptz
FROM unnest(
    %(ids)s::bigint[], %(statuses)s::text[], %(captured)s::bigint[], %(to_capture)s::bigint[],
    %(cancel_requested_ats)s::timestamptz[], %(authorized_untils)s::timestamptz[],
    %(fees)s::bigint[], %(fee_plan_ids)s::bigint[], %(failure_codes)s::text[],
    %(failure_reasons)s::text[],
    %(gateway_references)s::text[], %(effective_ats)s::timestamptz[], %(due_ats)s::timestamptz[],
    %(settlement_due_ons)s::date[], %(processor_fees)s::bigint[],
    %(processor_fee_currencies)s::text[]
) AS outcome (
    id, status, captured, to_capture, cancel_requested_at, authorized_until, fee, fee_plan_id,
    failure_code, failure_reason, gateway_reference, effective_at, due_at, settlement_due_on, processor_fee,
    processor_fee_currency
)
WHERE payment.id = outcome.id
