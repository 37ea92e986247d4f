-- Close what later evidence ended: what was missing or pending and has its line now, what was pending and
-- is missing now, a line of nobody that turned out to be somebody's, all of it. Not while an entry for it
-- waits for a decision, or stands in the ledger: a person has to take that back. One way to end after the
-- other, so that each is one pass over all there are.
WITH unsettled AS MATERIALIZED (
    SELECT id, key, type, payment_id, refund_id, dispute_id, processor_payout_id, payout_id, line_id
    FROM reconciliation_discrepancy AS discrepancy
    WHERE status IN ('OPEN', 'INVESTIGATING')
        AND type IN (
            'missing_settlement', 'refund_not_in_settlement', 'dispute_not_in_settlement',
            'settlement_pending', 'deposit_missing', 'payout_missing', 'orphan_line', 'duplicate_line',
            'unexplained_bank_line', 'deposit_duplicate'
        )
        AND NOT EXISTS (
            SELECT FROM reconciliation_writeoff AS written_off
            WHERE written_off.discrepancy_id = discrepancy.id AND written_off.status = 'POSTED')
),
ended AS (
    SELECT id FROM unsettled
    WHERE type IN ('missing_settlement', 'settlement_pending') AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.payment_id = unsettled.payment_id)
    UNION
    SELECT id FROM unsettled
    WHERE type IN ('refund_not_in_settlement', 'settlement_pending') AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.refund_id = unsettled.refund_id)
    UNION
    SELECT id FROM unsettled
    WHERE type IN ('dispute_not_in_settlement', 'settlement_pending') AND EXISTS (
        SELECT FROM reconciliation_match AS match WHERE match.dispute_id = unsettled.dispute_id)
        AND key NOT LIKE '%%:won_dispute:%%'
    UNION
    SELECT id FROM unsettled
    WHERE type IN ('dispute_not_in_settlement', 'settlement_pending')
        AND key LIKE '%%:won_dispute:%%' AND EXISTS (
            SELECT FROM reconciliation_match AS match
            WHERE match.won_dispute_id = unsettled.dispute_id)
    UNION
    SELECT id FROM unsettled
    WHERE type = 'settlement_pending' AND EXISTS (
        SELECT FROM reconciliation_discrepancy AS known
        WHERE known.key = CASE
            WHEN unsettled.payment_id IS NOT NULL
                THEN 'missing_settlement:payment:' || unsettled.payment_id
            WHEN unsettled.refund_id IS NOT NULL
                THEN 'refund_not_in_settlement:refund:' || unsettled.refund_id
            ELSE replace(unsettled.key, 'settlement_pending', 'dispute_not_in_settlement') END)
    UNION
    SELECT id FROM unsettled
    WHERE type = 'deposit_missing' AND EXISTS (
        SELECT FROM reconciliation_match AS match
        WHERE match.processor_payout_id = unsettled.processor_payout_id)
    UNION
    SELECT unsettled.id FROM unsettled JOIN settlements_payout AS payout ON payout.id = payout_id
    WHERE type = 'payout_missing' AND payout.status <> 'SENT'
    UNION
    SELECT id FROM unsettled
    WHERE type IN ('orphan_line', 'duplicate_line') AND EXISTS (
        SELECT FROM reconciliation_match AS part WHERE part.line_id = unsettled.line_id)
    UNION
    SELECT id FROM unsettled
    WHERE type IN ('unexplained_bank_line', 'deposit_duplicate') AND line_id IN (
        SELECT line.id
        FROM reconciliation_match AS part
        JOIN reconciliation_statementline AS line ON line.id = part.line_id
        WHERE line.id IN (
            SELECT line_id FROM unsettled
            WHERE type IN ('unexplained_bank_line', 'deposit_duplicate'))
        GROUP BY line.id
        HAVING sum(part.amount) = line.net OR EXISTS (
            SELECT FROM reconciliation_discrepancy AS known
            WHERE known.line_id = line.id AND known.type = 'deposit_over'))
    UNION
    SELECT id FROM unsettled
    WHERE type IN ('orphan_line', 'unexplained_bank_line') AND EXISTS (
        SELECT FROM reconciliation_discrepancy AS known
        WHERE known.line_id = unsettled.line_id
            AND known.type IN ('duplicate_line', 'deposit_duplicate')
            AND NOT (known.status = 'RESOLVED' AND known.ended_by = ''))
)
UPDATE reconciliation_discrepancy AS discrepancy
SET status = 'RESOLVED', resolved_at = now(), resolved_by_id = %(run_id)s
FROM ended WHERE discrepancy.id = ended.id AND discrepancy.status IN ('OPEN', 'INVESTIGATING')
