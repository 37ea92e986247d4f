-- The lines of one processor's report that may belong to a payment or refund and are not matched yet, each
-- with what has exactly its reference and no line so far (item_no: the payment's id, or minus the
-- refund's). A pair is alike if it agrees in everything that open_differences compares. Made once, by
-- several processes, in the order of the lines: nearly all of them end here. Only permanent tables can be
-- read by several, so the names come as arrays.
-- More tables are joined than the planner arranges freely (join_collapse_limit), so the order counts: lines
-- that are matched are left out before anything is joined to them, or every run walks through all there is.
CREATE TEMPORARY TABLE line_and_item ON COMMIT DROP AS
SELECT line.id AS line_id, naming.code IS NOT NULL AS is_named, line.net,
       jsonb_build_object('reported', line.reference, 'merchant', line.merchant) AS evidence,
       CASE WHEN settled.id IS NULL AND refunded.id IS NULL
            THEN coalesce(payment.id, -refund.id) END AS item_no,
       settled.id IS NULL AND refunded.id IS NULL
           AND (line.gross, line.currency, line.fee, line.currency) IS NOT DISTINCT FROM (
               coalesce(payment.amount_captured, -refund.amount),
               coalesce(payment.currency, refund.currency),
               coalesce(payment.processor_fee_expected, refund.processor_fee_expected),
               coalesce(payment.processor_fee_currency, refund.processor_fee_currency))
           AND (line.presentment_amount IS NULL
                OR (line.presentment_amount, line.presentment_currency) = (
                    coalesce(payment.amount_captured, -refund.amount),
                    coalesce(payment.currency, refund.currency)))
           AND (line.value_on > coalesce(payment.settlement_due_on, refund.settlement_due_on))
               IS NOT TRUE AS is_alike
FROM (
    SELECT line.id, line.kind, line.reference, line.merchant, line.value_on, line.gross, line.fee,
           line.net, line.presentment_amount, line.presentment_currency, account.currency
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s
        AND line.kind IN ('charge', 'refund')
        AND line.booked_on <= %(as_of)s
        AND NOT EXISTS (SELECT FROM reconciliation_match AS part WHERE part.line_id = line.id)
) AS line
LEFT JOIN unnest(
    ARRAY(SELECT said FROM naming ORDER BY said), ARRAY(SELECT code FROM naming ORDER BY said)
) AS naming (said, code) ON naming.said = line.merchant
LEFT JOIN (
    payments_payment AS payment
    JOIN payments_merchant AS payee ON payee.id = payment.merchant_id
        AND payment.gateway_id = %(gateway_id)s
        AND payment.status = 'SUCCEEDED'
        AND NOT payment.is_settled_elsewhere
        AND payment.effective_at < %(end_of_day)s
) ON line.kind = 'charge' AND line.reference <> '' AND payment.reference = line.reference
    AND (naming.code IS NULL OR naming.code = payee.code)
LEFT JOIN (
    payments_refund AS refund
    JOIN payments_merchant AS refunder ON refunder.id = refund.merchant_id
        AND refund.status = 'SUCCEEDED'
        AND refund.effective_at < %(end_of_day)s
    JOIN payments_payment AS original
        ON original.id = refund.payment_id AND original.gateway_id = %(gateway_id)s
) ON line.kind = 'refund' AND line.reference <> '' AND refund.reference = line.reference
    AND (naming.code IS NULL OR naming.code = refunder.code)
LEFT JOIN reconciliation_match AS settled ON settled.payment_id = payment.id
LEFT JOIN reconciliation_match AS refunded ON refunded.refund_id = refund.id
ORDER BY line.id
