-- Payments and refunds that are in no report: missing if they were due by now, pending if not. What
-- evidence had ended is open again if it is so again; what a person ended stays ended. Candidates of a
-- tie are neither.
INSERT INTO reconciliation_discrepancy (
    public_id, key, type, status, source_id, reference, currency, amount, expected, actual, since,
    payment_id, refund_id, opened_by_id
)
SELECT 'disc_' || replace(uuidv7()::text, '-', ''), absent.key, absent.type, 'OPEN', %(source_id)s,
       item.reference, item.currency, item.amount, item.amount || ' ' || item.currency, '',
       CASE WHEN is_due THEN item.settlement_due_on
            ELSE (coalesce(payment.effective_at, refund.effective_at) AT TIME ZONE %(zone)s)::date END,
       payment.id, refund.id, %(run_id)s
FROM rest_item AS item
LEFT JOIN payments_payment AS payment ON item_kind = 'payment' AND payment.id = item_id
LEFT JOIN payments_refund AS refund ON item_kind = 'refund' AND refund.id = item_id
CROSS JOIN LATERAL (SELECT item.settlement_due_on <= %(as_of)s AS is_due) AS by_rule
CROSS JOIN LATERAL (
    SELECT CASE item_kind WHEN 'payment' THEN 'missing_settlement'
                          ELSE 'refund_not_in_settlement' END AS missing
) AS named
CROSS JOIN LATERAL (
    SELECT CASE WHEN is_due THEN missing ELSE 'settlement_pending' END AS type,
           CASE WHEN is_due THEN missing ELSE 'settlement_pending' END
               || ':' || item_kind || ':' || item_id AS key
) AS absent
WHERE is_due IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM found
        WHERE found.item_kind = item.item_kind AND found.item_id = item.item_id
    )
    AND NOT EXISTS (
        SELECT FROM tied WHERE tied.item_kind = item.item_kind AND tied.item_id = item.item_id
    )
    AND NOT EXISTS (
        SELECT FROM reconciliation_discrepancy AS known
        WHERE known.key = absent.key AND NOT (known.status = 'RESOLVED' AND known.ended_by = '')
    )
    -- A run for an earlier day does not take back that it is missing by now.
    AND NOT EXISTS (
        SELECT FROM reconciliation_discrepancy AS known
        WHERE NOT is_due AND known.key = missing || ':' || item_kind || ':' || item_id
    )
ORDER BY item_kind, item_id
ON CONFLICT (key) DO UPDATE
SET status = 'OPEN', resolved_at = NULL, resolved_by_id = NULL
