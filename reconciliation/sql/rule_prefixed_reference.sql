-- Something is glued to the front of the reference, which has at least 12 letters and digits.
-- One of the line's endings is it: that is a hash join, however alike they end.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line
CROSS JOIN LATERAL generate_series(12, length(line.key)) AS ending
JOIN rest_item AS item
    ON item.line_kind = line.line_kind AND item.key = right(line.key, ending)
WHERE line.merchant IS NULL OR line.merchant = item.merchant
