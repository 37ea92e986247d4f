-- Close what later evidence ended: what was missing and has its line now, a line of nobody that
-- turned out to be somebody's. Not while an entry for it waits for a decision, or stands in the
-- ledger: a person has to take that back.
UPDATE reconciliation_discrepancy AS discrepancy
SET status = 'RESOLVED', resolved_at = now(), resolved_by_id = %(run_id)s
WHERE status IN ('OPEN', 'INVESTIGATING')
    AND NOT EXISTS (
        SELECT FROM reconciliation_writeoff AS written_off
        WHERE written_off.discrepancy_id = discrepancy.id AND written_off.status = 'POSTED')
    AND (
    (type = 'missing_settlement' AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.payment_id = discrepancy.payment_id))
    OR (type = 'refund_not_in_settlement' AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.refund_id = discrepancy.refund_id))
    OR (type = 'deposit_missing' AND EXISTS (
        SELECT FROM reconciliation_match AS match
        WHERE match.processor_payout_id = discrepancy.processor_payout_id))
    OR (type IN ('orphan_line', 'unexplained_bank_line') AND (
        EXISTS (
            SELECT FROM reconciliation_matchline AS part WHERE part.line_id = discrepancy.line_id)
        OR EXISTS (
            SELECT FROM reconciliation_discrepancy AS known
            WHERE known.line_id = discrepancy.line_id
                AND known.type IN ('duplicate_line', 'deposit_duplicate'))))
)
