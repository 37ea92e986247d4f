-- The items that have their line now, with references reduced to what survives retyping.
CREATE TEMPORARY TABLE known_item ON COMMIT DROP AS
WITH matched AS (
    SELECT item_kind, item_id FROM found
    UNION ALL
    SELECT CASE WHEN item_no < 0 THEN 'refund' ELSE 'payment' END, abs(item_no)
    FROM line_and_item WHERE is_alike
)
SELECT item_kind, item_id, line_kind, merchant_id,
       upper(regexp_replace(reference, '[^A-Za-z0-9]', '', 'g')) AS key
FROM (
    SELECT item_kind, item_id, 'charge' AS line_kind, merchant_id, reference
    FROM matched JOIN payments_payment AS payment ON item_kind = 'payment' AND payment.id = item_id
    UNION ALL
    SELECT item_kind, item_id, 'refund', merchant_id, reference
    FROM matched JOIN payments_refund AS refund ON item_kind = 'refund' AND refund.id = item_id
) AS item
