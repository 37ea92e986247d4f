-- One payment or refund as an open item, whoever it is matched to: what is found about it is found alike.
DROP TABLE IF EXISTS open_item, open_line, rest_item;
CREATE TEMPORARY TABLE open_item ON COMMIT DROP AS
SELECT 'payment' AS item_kind, payment.id AS item_id, 'charge' AS line_kind, payment.reference,
       merchant.code AS merchant, payment.amount_captured AS amount, payment.currency,
       payment.settlement_currency,
       payment.settlement_due_on, payment.processor_fee_expected, payment.processor_fee_currency
FROM payments_payment AS payment
JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
WHERE %(kind)s = 'payment' AND payment.id = %(item_id)s
UNION ALL
SELECT 'refund', refund.id, 'refund', refund.reference,
       merchant.code, -refund.amount, refund.currency, refund.settlement_currency,
       refund.settlement_due_on, refund.processor_fee_expected, refund.processor_fee_currency
FROM payments_refund AS refund
JOIN payments_merchant AS merchant ON merchant.id = refund.merchant_id
WHERE %(kind)s = 'refund' AND refund.id = %(item_id)s;
CREATE TEMPORARY TABLE open_line ON COMMIT DROP AS
SELECT line.id AS line_id, line.booked_on, line.value_on, line.gross, line.fee,
       line.presentment_amount, line.presentment_currency, account.currency AS account_currency
FROM reconciliation_statementline AS line
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
WHERE line.id = %(line_id)s::bigint;
INSERT INTO found (rule_no, line_id, item_kind, item_id)
SELECT 0, %(line_id)s::bigint, item_kind, item_id FROM open_item WHERE %(line_id)s IS NOT NULL;
-- What no line was found for.
CREATE TEMPORARY TABLE rest_item ON COMMIT DROP AS
SELECT * FROM open_item WHERE %(line_id)s IS NULL
