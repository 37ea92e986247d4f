-- The reference stands inside the line's, run together with other text.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line JOIN rest_item AS item
    ON item.line_kind = line.line_kind AND strpos(line.key, item.key) > 0
WHERE length(item.key) >= 8
