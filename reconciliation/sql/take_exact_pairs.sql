-- The exact rule for nearly all there is: a line and an item that nothing else may be about. What is
-- contested, and what people took apart, is left to the rules. A pair is alike if it agrees in everything
-- that open_differences compares. A line that names a merchant has one item at most: a merchant's
-- references are unique.
INSERT INTO found (rule_no, line_id, item_kind, item_id, is_alike)
WITH named AS MATERIALIZED (
    SELECT line_id, item_kind, item_id, line_merchant IS NOT NULL AS has_merchant,
           CASE item_kind WHEN 'refund' THEN -item_id ELSE item_id END AS item_no,
           (gross, account_currency, fee, account_currency)
                   IS NOT DISTINCT FROM (amount, currency, processor_fee_expected,
                                         processor_fee_currency)
               AND (presentment_amount IS NULL
                    OR (presentment_amount, presentment_currency) = (amount, currency))
               AND (value_on > settlement_due_on) IS NOT TRUE AS is_alike
    FROM (
        SELECT line.line_id, line.merchant AS line_merchant, line.gross, line.fee, line.value_on,
               line.account_currency, line.presentment_amount, line.presentment_currency,
               'payment' AS item_kind, payment.id AS item_id, payment.amount_captured AS amount,
               payment.currency, payment.settlement_due_on, payment.processor_fee_expected,
               payment.processor_fee_currency
        FROM open_line AS line
        JOIN payments_payment AS payment
            ON payment.gateway_id = %(gateway_id)s AND payment.reference = line.reference
        JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
        WHERE line.line_kind = 'charge' AND line.reference <> ''
            AND (line.merchant IS NULL OR line.merchant = merchant.code)
            AND payment.status = 'SUCCEEDED'
            AND NOT payment.is_settled_elsewhere
            AND payment.effective_at < %(end_of_day)s
        UNION ALL
        SELECT line.line_id, line.merchant, line.gross, line.fee, line.value_on,
               line.account_currency, line.presentment_amount, line.presentment_currency,
               'refund', refund.id, -refund.amount,
               refund.currency, refund.settlement_due_on, refund.processor_fee_expected,
               refund.processor_fee_currency
        FROM open_line AS line
        JOIN payments_refund AS refund ON refund.reference = line.reference
        JOIN payments_payment AS payment
            ON payment.id = refund.payment_id AND payment.gateway_id = %(gateway_id)s
        JOIN payments_merchant AS merchant ON merchant.id = refund.merchant_id
        WHERE line.line_kind = 'refund' AND line.reference <> ''
            AND (line.merchant IS NULL OR line.merchant = merchant.code)
            AND refund.status = 'SUCCEEDED'
            AND refund.effective_at < %(end_of_day)s
    ) AS same_reference
),
pair AS MATERIALIZED (
    SELECT * FROM named
    WHERE NOT EXISTS (
            SELECT FROM reconciliation_match WHERE item_kind = 'payment' AND payment_id = item_id
        )
        AND NOT EXISTS (
            SELECT FROM reconciliation_match WHERE item_kind = 'refund' AND refund_id = item_id
        )
),
shared_line AS (
    SELECT line_id FROM pair WHERE NOT has_merchant GROUP BY line_id HAVING count(*) > 1
),
shared_item AS (SELECT item_no FROM pair GROUP BY item_no HAVING count(*) > 1)
SELECT %(rule_no)s, line_id, item_kind, item_id, is_alike
FROM pair
WHERE NOT EXISTS (SELECT FROM shared_line WHERE shared_line.line_id = pair.line_id)
    AND NOT EXISTS (SELECT FROM shared_item WHERE shared_item.item_no = pair.item_no)
    AND NOT EXISTS (
        SELECT FROM reconciliation_undonematch AS undone
        WHERE undone.line_id = pair.line_id AND undone.kind = pair.item_kind
            AND undone.subject_id = pair.item_id
    )
