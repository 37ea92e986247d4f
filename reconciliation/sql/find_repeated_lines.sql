-- Lines left over that carry the reference, whole, in text or truncated, of an item that has its line, and
-- may be about no other one.
-- A line that a run before found to be nobody's, or a repeat, can only repeat what was matched since.
DROP TABLE IF EXISTS unfound_line, probe;
CREATE TEMPORARY TABLE unfound_line ON COMMIT DROP AS
SELECT line.*, EXISTS (
    SELECT FROM reconciliation_discrepancy AS known
    WHERE known.line_id = line.line_id AND known.type IN ('orphan_line', 'duplicate_line')
) AS is_known
FROM rest_line AS line
WHERE key <> ''
    AND NOT EXISTS (SELECT FROM tied WHERE tied.line_id = line.line_id)
    AND NOT EXISTS (SELECT FROM found WHERE NOT is_alike AND found.line_id = line.line_id)
    AND NOT EXISTS (SELECT FROM repeated WHERE repeated.line_id = line.line_id);
-- What an item's reference would have to be; without the text glued to its front: every ending.
CREATE TEMPORARY TABLE probe ON COMMIT DROP AS
SELECT line_id, line_kind, key, %(normalised_rule)s AS rule_no FROM unfound_line
UNION ALL
SELECT line_id, line_kind, spelling.key, %(in_text_rule)s
FROM unfound_line JOIN spelling USING (line_id, line_kind)
UNION ALL
SELECT line_id, line_kind, right(key, length), %(prefixed_rule)s
FROM unfound_line CROSS JOIN LATERAL generate_series(12, length(key) - 1) AS length;
ANALYZE unfound_line;
ANALYZE probe;
WITH named AS (
    SELECT 'payment' AS item_kind, payment.id AS item_id, 'charge' AS line_kind,
           payment.reference, payment.merchant_id
    FROM payments_payment AS payment
    WHERE payment.gateway_id = %(gateway_id)s AND payment.status = 'SUCCEEDED'
        AND EXISTS (SELECT FROM unfound_line WHERE NOT is_known)
    UNION ALL
    SELECT 'refund', refund.id, 'refund', refund.reference, refund.merchant_id
    FROM payments_refund AS refund
    JOIN payments_payment AS payment ON payment.id = refund.payment_id
    WHERE payment.gateway_id = %(gateway_id)s AND refund.status = 'SUCCEEDED'
        AND EXISTS (SELECT FROM unfound_line WHERE NOT is_known)
    UNION ALL
    SELECT 'payment', payment.id, 'charge', payment.reference, payment.merchant_id
    FROM found JOIN payments_payment AS payment ON payment.id = found.item_id
    WHERE found.item_kind = 'payment' AND EXISTS (SELECT FROM unfound_line)
        AND NOT EXISTS (SELECT FROM unfound_line WHERE NOT is_known)
    UNION ALL
    SELECT 'refund', refund.id, 'refund', refund.reference, refund.merchant_id
    FROM found JOIN payments_refund AS refund ON refund.id = found.item_id
    WHERE found.item_kind = 'refund' AND EXISTS (SELECT FROM unfound_line)
        AND NOT EXISTS (SELECT FROM unfound_line WHERE NOT is_known)
),
item AS MATERIALIZED (
    SELECT item_kind, item_id, line_kind, merchant_id,
           upper(regexp_replace(reference, '[^A-Za-z0-9]', '', 'g')) AS key
    FROM named
),
beginning AS (
    SELECT line_id, line_kind, key FROM unfound_line
    WHERE length(regexp_replace(reference, '[^A-Za-z0-9]+$|^\s+', '', 'g')) >= 12
),
shortened AS MATERIALIZED (
    SELECT item_kind, item_id, line_kind, merchant_id, left(key, cut.length) AS key
    FROM (SELECT DISTINCT length(key) AS length FROM beginning) AS cut
    JOIN item ON length(key) >= cut.length
),
recognised AS (
    SELECT line_id, item_kind, item_id, merchant_id, rule_no
    FROM probe JOIN item USING (line_kind, key)
    UNION ALL
    SELECT line_id, item_kind, item_id, merchant_id, %(truncated_rule)s
    FROM beginning JOIN shortened USING (line_kind, key)
)
INSERT INTO repeated (rule_no, line_id, item_kind, item_id)
SELECT min(rule_no), line_id, min(item_kind), min(item_id)
FROM recognised
JOIN unfound_line AS line USING (line_id)
JOIN payments_merchant AS merchant ON merchant.id = merchant_id
WHERE (line.merchant IS NULL OR line.merchant = merchant.code)
    AND (item_kind = 'payment'
             AND EXISTS (SELECT FROM reconciliation_match WHERE payment_id = item_id)
         OR item_kind = 'refund'
             AND EXISTS (SELECT FROM reconciliation_match WHERE refund_id = item_id)
         OR (item_kind, item_id) IN (SELECT item_kind, item_id FROM found))
    AND NOT EXISTS (
        SELECT FROM reconciliation_undonematch AS undone
        WHERE undone.line_id = recognised.line_id AND undone.kind = recognised.item_kind
            AND undone.subject_id = recognised.item_id
    )
GROUP BY line_id
HAVING count(DISTINCT (item_kind, item_id)) = 1
