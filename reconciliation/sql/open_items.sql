-- The payments and refunds through one gateway that its reports should show and have not shown yet, but
-- for those that have a line now which is alike. Amounts are signed as the clearing account moves: a
-- charge is positive, a refund negative. What is not matched is found in the indexes alone: of a million
-- that are, no row is read. What is alike comes nearly in the order of the payments, and is sorted at once.
ANALYZE found;
TRUNCATE open_item;
INSERT INTO open_item
WITH unmatched AS MATERIALIZED (
    SELECT payment.id
    FROM payments_payment AS payment
    LEFT JOIN (
        SELECT item_no FROM line_and_item WHERE is_alike AND item_no > 0 ORDER BY item_no
    ) AS alike ON alike.item_no = payment.id
    LEFT JOIN (
        SELECT payment_id FROM reconciliation_match
        WHERE payment_id IS NOT NULL ORDER BY payment_id
    ) AS match ON match.payment_id = payment.id
    WHERE alike.item_no IS NULL AND match.payment_id IS NULL
)
SELECT 'payment' AS item_kind, payment.id AS item_id, 'charge' AS line_kind, payment.reference,
       merchant.code AS merchant, payment.amount_captured AS amount, payment.currency,
       payment.settlement_currency,
       payment.settlement_due_on, payment.processor_fee_expected, payment.processor_fee_currency
FROM unmatched
JOIN payments_payment AS payment USING (id)
JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
WHERE payment.gateway_id = %(gateway_id)s
    AND payment.status = 'SUCCEEDED'
    AND NOT payment.is_settled_elsewhere
    AND payment.effective_at < %(end_of_day)s
UNION ALL
SELECT 'refund', refund.id, 'refund', refund.reference,
       merchant.code, -refund.amount, refund.currency, refund.settlement_currency,
       refund.settlement_due_on, refund.processor_fee_expected, refund.processor_fee_currency
FROM payments_refund AS refund
JOIN payments_payment AS payment ON payment.id = refund.payment_id
JOIN payments_merchant AS merchant ON merchant.id = refund.merchant_id
WHERE payment.gateway_id = %(gateway_id)s
    AND refund.status = 'SUCCEEDED'
    AND refund.effective_at < %(end_of_day)s
    AND NOT EXISTS (SELECT FROM reconciliation_match WHERE refund_id = refund.id)
    AND NOT EXISTS (
        SELECT FROM line_and_item WHERE is_alike AND item_no = -refund.id
    );
ANALYZE open_item
