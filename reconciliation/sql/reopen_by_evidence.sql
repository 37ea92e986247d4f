-- Open again what was written off before its line came or found its owner: the entry is one too many.
UPDATE reconciliation_discrepancy AS discrepancy
SET status = 'OPEN', resolved_at = NULL, resolved_by_id = NULL, reason_code = '', resolution = '',
    ended_by = ''
WHERE status = 'WRITTEN_OFF' AND (
    (type = 'missing_settlement' AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.payment_id = discrepancy.payment_id))
    OR (type = 'refund_not_in_settlement' AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.refund_id = discrepancy.refund_id))
    OR (type = 'dispute_not_in_settlement' AND EXISTS (
        SELECT FROM reconciliation_match AS match
        WHERE CASE WHEN key LIKE '%%:won_dispute:%%' THEN match.won_dispute_id
                   ELSE match.dispute_id END = discrepancy.dispute_id))
    OR (type = 'deposit_missing' AND EXISTS (
        SELECT FROM reconciliation_match AS match
        WHERE match.processor_payout_id = discrepancy.processor_payout_id))
    OR (type IN ('orphan_line', 'duplicate_line', 'unexplained_bank_line', 'deposit_duplicate')
        AND EXISTS (
            SELECT FROM reconciliation_match AS part WHERE part.line_id = discrepancy.line_id))
)
