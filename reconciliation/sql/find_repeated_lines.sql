-- Lines left over that carry the reference, whole, in text or truncated, of an item that has its line, and
-- may be about no other one.
WITH beginning AS (
    SELECT line_id, line_kind, key FROM unfound_line
    WHERE length(regexp_replace(reference, '[^A-Za-z0-9]+$|^\s+', '', 'g')) >= 12
),
shortened AS MATERIALIZED (
    SELECT item_kind, item_id, line_kind, merchant_id, left(key, cut.length) AS key
    FROM (SELECT DISTINCT length(key) AS length FROM beginning) AS cut
    JOIN known_item ON length(key) >= cut.length
),
recognised AS (
    SELECT line_id, item_kind, item_id, merchant_id, rule_no
    FROM probe JOIN known_item USING (line_kind, key)
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
         OR (item_kind, item_id) IN (SELECT item_kind, item_id FROM found)
         OR CASE item_kind WHEN 'refund' THEN -item_id ELSE item_id END
             IN (SELECT item_no FROM line_and_item WHERE is_alike))
    AND NOT EXISTS (
        SELECT FROM reconciliation_undonematch AS undone
        WHERE undone.line_id = recognised.line_id AND undone.kind = recognised.item_kind
            AND undone.subject_id = recognised.item_id
    )
GROUP BY line_id
HAVING count(DISTINCT (item_kind, item_id)) = 1
