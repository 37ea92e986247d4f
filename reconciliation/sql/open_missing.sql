-- Payments and refunds that were due by now and are in no report. Candidates of a tie are not.
INSERT INTO reconciliation_discrepancy (
    public_id, key, type, status, source_id, reference, currency, amount, expected, actual, since,
    payment_id, refund_id, opened_by_id
)
SELECT 'disc_' || replace(uuidv7()::text, '-', ''),
       missing.type || ':' || item_kind || ':' || item_id, missing.type, 'OPEN', %(source_id)s,
       reference, currency, amount, amount || ' ' || currency, '', settlement_due_on,
       CASE item_kind WHEN 'payment' THEN item_id END, CASE item_kind WHEN 'refund' THEN item_id END,
       %(run_id)s
FROM open_item AS item
CROSS JOIN LATERAL (
    SELECT CASE item_kind WHEN 'payment' THEN 'missing_settlement'
                          ELSE 'refund_not_in_settlement' END AS type
) AS missing
WHERE settlement_due_on <= %(as_of)s
    AND NOT EXISTS (
        SELECT FROM found WHERE found.item_kind = item.item_kind AND found.item_id = item.item_id
    )
    AND NOT EXISTS (
        SELECT FROM tied WHERE tied.item_kind = item.item_kind AND tied.item_id = item.item_id
    )
ORDER BY item_kind, item_id
ON CONFLICT (key) DO NOTHING
