-- The line carries the beginning of the reference, at least 12 characters of it, and of no other reference
-- there is: what is settled by now could be meant as well, and then it is a tie.
-- Every reference is cut to each of the lengths there are: that is a hash join, however alike they begin.
-- Others are looked up in the index, under the beginning as the reference, or the line, writes it.
WITH line AS (
    SELECT line_id, line_kind, merchant, reference, key FROM rest_line
    WHERE key <> ''
        AND length(regexp_replace(reference, '[^A-Za-z0-9]+$|^\s+', '', 'g')) >= 12
        AND NOT EXISTS (SELECT FROM found WHERE found.line_id = rest_line.line_id)
),
shortened AS MATERIALIZED (
    SELECT item_kind, item_id, line_kind, merchant, reference, left(key, cut.length) AS key
    FROM (SELECT DISTINCT length(key) AS length FROM line) AS cut
    JOIN rest_item ON length(key) >= cut.length
),
fit AS MATERIALIZED (
    SELECT line_id, item_kind, item_id, line.merchant, key, line.reference AS said,
           item.reference AS whole
    FROM line JOIN shortened AS item USING (line_kind, key)
    WHERE (line.merchant IS NULL OR line.merchant = item.merchant)
        AND NOT EXISTS (
            SELECT FROM found
            WHERE found.item_kind = item.item_kind AND found.item_id = item.item_id
        )
),
beginning AS MATERIALIZED (
    SELECT DISTINCT fit.line_id, fit.item_kind, fit.item_id, fit.merchant, payment.gateway_id,
           spelling.said
    FROM fit
    LEFT JOIN payments_refund AS refund ON item_kind = 'refund' AND refund.id = item_id
    JOIN payments_payment AS payment
        ON payment.id = CASE item_kind WHEN 'payment' THEN item_id ELSE refund.payment_id END
    CROSS JOIN LATERAL (VALUES
        (fit.key),
        (regexp_replace(fit.said, '[^A-Za-z0-9]+$|^\s+', '', 'g')),
        (substring(fit.whole FROM format('^(?:[^A-Za-z0-9]*[A-Za-z0-9]){%%s}', length(fit.key))))
    ) AS spelling (said)
),
rival AS (
    SELECT beginning.line_id
    FROM beginning
    JOIN payments_payment AS other
        ON other.gateway_id = beginning.gateway_id AND other.reference >= beginning.said
            AND other.reference < beginning.said || chr(1114111)
    JOIN payments_merchant AS merchant ON merchant.id = other.merchant_id
    WHERE beginning.item_kind = 'payment' AND other.id <> beginning.item_id
        AND other.status = 'SUCCEEDED'
        AND (beginning.merchant IS NULL OR beginning.merchant = merchant.code)
    UNION
    SELECT beginning.line_id
    FROM beginning
    JOIN payments_refund AS other
        ON other.reference >= beginning.said
            AND other.reference < beginning.said || chr(1114111)
    JOIN payments_payment AS payment
        ON payment.id = other.payment_id AND payment.gateway_id = beginning.gateway_id
    JOIN payments_merchant AS merchant ON merchant.id = other.merchant_id
    WHERE beginning.item_kind = 'refund' AND other.id <> beginning.item_id
        AND other.status = 'SUCCEEDED'
        AND (beginning.merchant IS NULL OR beginning.merchant = merchant.code)
),
left_open AS (
    INSERT INTO tied (line_id, item_kind, item_id)
    SELECT line_id, item_kind, item_id FROM fit WHERE line_id IN (SELECT line_id FROM rival)
)
INSERT INTO candidate (line_id, item_kind, item_id)
SELECT line_id, item_kind, item_id FROM fit WHERE line_id NOT IN (SELECT line_id FROM rival)
