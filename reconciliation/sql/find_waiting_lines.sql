-- A line of nobody that carries the reference of a payment or refund that became final, or was imported,
-- since a moment, or of a payment whose dispute was opened or won.
SELECT line.id
FROM reconciliation_discrepancy AS finding
JOIN reconciliation_statementline AS line ON line.id = finding.line_id
JOIN reconciliation_source AS source ON source.id = finding.source_id
WHERE finding.type = 'orphan_line' AND finding.status IN ('OPEN', 'INVESTIGATING', 'WRITE_OFF_REQUESTED')
    AND line.reference <> ''
    AND (
        line.kind IN ('charge', 'dispute') AND EXISTS (
            SELECT FROM payments_payment AS payment
            WHERE payment.gateway_id = source.gateway_id AND payment.reference = line.reference
                AND payment.status = 'SUCCEEDED'
                AND greatest(payment.effective_at, payment.created_at) >= %(since)s::timestamptz
        )
        OR line.kind = 'dispute_reversal' AND EXISTS (
            SELECT FROM payments_payment AS payment
            JOIN payments_dispute AS dispute ON dispute.payment_id = payment.id
            WHERE payment.gateway_id = source.gateway_id AND payment.reference = line.reference
                AND greatest(dispute.won_at, dispute.created_at) >= %(since)s::timestamptz
        )
        OR line.kind = 'refund' AND EXISTS (
            SELECT FROM payments_refund AS refund
            WHERE refund.reference = line.reference AND refund.status = 'SUCCEEDED'
                AND greatest(refund.effective_at, refund.created_at) >= %(since)s::timestamptz
        )
    )
LIMIT 1
