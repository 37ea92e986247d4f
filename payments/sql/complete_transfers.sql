-- Write what the ledger said to a batch of transfers whose locks and fences the caller holds.
-- A refund that failed no longer counts against the transfer it was to send back.
WITH outcome AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(ids)s::bigint[], %(statuses)s::text[], %(journal_entries)s::text[],
        %(failure_codes)s::text[], %(failure_reasons)s::text[]
    ) AS outcome (id, status, journal_entry, failure_code, failure_reason)
),
failed_refund AS (
    SELECT refund.refund_of_id AS transfer_id, sum(refund.amount)::bigint AS amount
    FROM payments_transfer AS refund
    JOIN outcome ON outcome.id = refund.id
    WHERE outcome.status = 'FAILED' AND refund.refund_of_id IS NOT NULL
    GROUP BY refund.refund_of_id
),
freed AS (
    UPDATE payments_transfer AS transfer
    SET amount_refunded = transfer.amount_refunded - failed_refund.amount, updated_at = %(updated_at)s::timestamptz
    FROM failed_refund
    WHERE transfer.id = failed_refund.transfer_id
)
UPDATE payments_transfer AS transfer
SET status = outcome.status,
    journal_entry = outcome.journal_entry,
    failure_code = outcome.failure_code,
    failure_reason = outcome.failure_reason,
    due_at = NULL,
    holder = NULL,
    updated_at = %(updated_at)s::timestamptz
FROM outcome
WHERE transfer.id = outcome.id
