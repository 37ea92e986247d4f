-- An item that another line repeats: which of its lines comes first has to be looked at.
UPDATE line_and_item AS pair SET is_alike = false
FROM (
    SELECT DISTINCT CASE item_kind WHEN 'refund' THEN -item_id ELSE item_id END AS item_no FROM repeated
) AS again
WHERE is_alike AND pair.item_no = again.item_no
