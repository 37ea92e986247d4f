-- Close what later evidence ended: what was missing or pending and has its line now, what was pending and
-- is missing now, a line of nobody that turned out to be somebody's, all of it. Not while an entry for it
-- waits for a decision, or stands in the ledger: a person has to take that back.
UPDATE reconciliation_discrepancy AS discrepancy
SET status = 'RESOLVED', resolved_at = now(), resolved_by_id = %(run_id)s
WHERE status IN ('OPEN', 'INVESTIGATING')
    AND NOT EXISTS (
        SELECT FROM reconciliation_writeoff AS written_off
        WHERE written_off.discrepancy_id = discrepancy.id AND written_off.status = 'POSTED')
    AND (
    (type IN ('missing_settlement', 'settlement_pending') AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.payment_id = discrepancy.payment_id))
    OR (type IN ('refund_not_in_settlement', 'settlement_pending') AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.refund_id = discrepancy.refund_id))
    OR (type IN ('dispute_not_in_settlement', 'settlement_pending') AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.dispute_id = discrepancy.dispute_id))
    OR (type = 'settlement_pending' AND EXISTS (
        SELECT FROM reconciliation_discrepancy AS known
        WHERE known.key IN (
            'missing_settlement:payment:' || discrepancy.payment_id,
            'refund_not_in_settlement:refund:' || discrepancy.refund_id,
            'dispute_not_in_settlement:dispute:' || discrepancy.dispute_id)))
    OR (type = 'deposit_missing' AND EXISTS (
        SELECT FROM reconciliation_match AS match
        WHERE match.processor_payout_id = discrepancy.processor_payout_id))
    OR (type IN ('orphan_line', 'duplicate_line') AND EXISTS (
        SELECT FROM reconciliation_matchline AS part WHERE part.line_id = discrepancy.line_id))
    OR (type IN ('unexplained_bank_line', 'deposit_duplicate') AND EXISTS (
        SELECT FROM reconciliation_matchline AS part
        JOIN reconciliation_statementline AS line ON line.id = part.line_id
        WHERE part.line_id = discrepancy.line_id
        GROUP BY line.id
        HAVING sum(part.amount) = line.net OR EXISTS (
            SELECT FROM reconciliation_discrepancy AS known
            WHERE known.line_id = line.id AND known.type = 'deposit_over')))
    OR (type IN ('orphan_line', 'unexplained_bank_line') AND EXISTS (
        SELECT FROM reconciliation_discrepancy AS known
        WHERE known.line_id = discrepancy.line_id
            AND known.type IN ('duplicate_line', 'deposit_duplicate')
            AND NOT (known.status = 'RESOLVED' AND known.ended_by = '')))
)
