-- Lines without a match: a repeated one, or one whose reference nobody knows. Ties are neither; nor is
-- a line without any reference until a full run tried everything. What evidence had ended is open again
-- if it is so again; what a person ended stays ended.
WITH finding AS (
    SELECT line_id, 'duplicate_line' AS type,
           CASE item_kind WHEN 'payment' THEN item_id END AS payment_id,
           CASE item_kind WHEN 'refund' THEN item_id END AS refund_id
    FROM repeated
    UNION ALL
    SELECT line_id, 'orphan_line', NULL, NULL
    FROM rest_line AS line
    WHERE (%(is_full)s OR line.reference <> '')
        AND NOT EXISTS (SELECT FROM found WHERE found.line_id = line.line_id)
        AND NOT EXISTS (SELECT FROM repeated WHERE repeated.line_id = line.line_id)
        AND NOT EXISTS (SELECT FROM tied WHERE tied.line_id = line.line_id)
        AND NOT EXISTS (
            SELECT FROM reconciliation_discrepancy AS known
            WHERE known.line_id = line.line_id AND known.type = 'duplicate_line'
                AND NOT (known.status = 'RESOLVED' AND known.ended_by = '')
        )
)
INSERT INTO reconciliation_discrepancy (
    public_id, key, type, status, source_id, reference, currency, amount, expected, actual, since,
    payment_id, refund_id, line_id, opened_by_id
)
SELECT 'disc_' || replace(uuidv7()::text, '-', ''), type || ':line:' || line.id, type, 'OPEN',
       %(source_id)s, coalesce(nullif(line.external_id, ''), 'stl_' || line.id), account.currency,
       line.net, '', line.reference, line.booked_on, finding.payment_id, finding.refund_id,
       line.id, %(run_id)s
FROM finding
JOIN reconciliation_statementline AS line ON line.id = finding.line_id
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
WHERE NOT EXISTS (
    SELECT FROM reconciliation_discrepancy AS known
    WHERE known.key = finding.type || ':line:' || line.id
        AND NOT (known.status = 'RESOLVED' AND known.ended_by = '')
)
ORDER BY line.id
ON CONFLICT (key) DO UPDATE
SET status = 'OPEN', resolved_at = NULL, resolved_by_id = NULL,
    payment_id = excluded.payment_id, refund_id = excluded.refund_id
