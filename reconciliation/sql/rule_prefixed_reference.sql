-- Something is glued to the front of the reference, which has at least 12 letters and digits.
-- Equal endings of 12 first: that is a hash join.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line JOIN rest_item AS item
    ON item.line_kind = line.line_kind AND right(item.key, 12) = right(line.key, 12)
        AND right(line.key, length(item.key)) = item.key
WHERE length(item.key) >= 12
