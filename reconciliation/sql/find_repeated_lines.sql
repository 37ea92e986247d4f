-- Lines left over that carry the reference, whole, in text or truncated, of an item that has its line.
WITH rest AS (
    SELECT line_id, line_kind, reference, key, merchant FROM rest_line
    WHERE key <> '' AND NOT EXISTS (SELECT FROM found WHERE found.line_id = rest_line.line_id)
        AND NOT EXISTS (SELECT FROM repeated WHERE repeated.line_id = rest_line.line_id)
),
matched AS (
    SELECT 'payment' AS item_kind, payment.id AS item_id, 'charge' AS line_kind,
           upper(regexp_replace(payment.reference, '[^A-Za-z0-9]', '', 'g')) AS key,
           merchant.code AS merchant
    FROM payments_payment AS payment
    JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
    WHERE EXISTS (SELECT FROM rest) AND payment.gateway_id = %(gateway_id)s AND (
        EXISTS (SELECT FROM reconciliation_match WHERE payment_id = payment.id)
        OR EXISTS (SELECT FROM found WHERE item_kind = 'payment' AND item_id = payment.id)
    )
    UNION ALL
    SELECT 'refund', refund.id, 'refund',
           upper(regexp_replace(refund.reference, '[^A-Za-z0-9]', '', 'g')), merchant.code
    FROM payments_refund AS refund
    JOIN payments_merchant AS merchant ON merchant.id = refund.merchant_id
    JOIN payments_payment AS payment ON payment.id = refund.payment_id
    WHERE EXISTS (SELECT FROM rest) AND payment.gateway_id = %(gateway_id)s AND (
        EXISTS (SELECT FROM reconciliation_match WHERE refund_id = refund.id)
        OR EXISTS (SELECT FROM found WHERE item_kind = 'refund' AND item_id = refund.id)
    )
),
recognised AS (
    SELECT line_id, item_kind, item_id, %(normalised_rule)s AS rule_no,
           rest.merchant AS named, matched.merchant
    FROM rest JOIN matched USING (line_kind, key)
    UNION ALL
    SELECT line_id, item_kind, item_id, %(in_text_rule)s, rest.merchant, matched.merchant
    FROM rest JOIN spelling USING (line_id, line_kind)
    JOIN matched ON matched.line_kind = rest.line_kind AND matched.key = spelling.key
    UNION ALL
    SELECT line_id, item_kind, item_id, %(truncated_rule)s, rest.merchant, matched.merchant
    FROM rest JOIN matched
        ON matched.line_kind = rest.line_kind AND left(matched.key, 10) = left(rest.key, 10)
            AND starts_with(matched.key, rest.key)
    WHERE length(regexp_replace(reference, '[^A-Za-z0-9]+$|^\s+', '', 'g')) >= 12
    UNION ALL
    SELECT line_id, item_kind, item_id, %(prefixed_rule)s, rest.merchant, matched.merchant
    FROM rest JOIN matched
        ON matched.line_kind = rest.line_kind AND right(matched.key, 12) = right(rest.key, 12)
            AND right(rest.key, length(matched.key)) = matched.key
    WHERE length(matched.key) >= 12
)
INSERT INTO repeated (rule_no, line_id, item_kind, item_id)
SELECT min(rule_no), line_id, min(item_kind), min(item_id)
FROM recognised
WHERE named IS NULL OR named = merchant
GROUP BY line_id
HAVING count(DISTINCT (item_kind, item_id)) = 1
