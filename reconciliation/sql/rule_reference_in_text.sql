-- The reference stands in the line's text by itself, in whatever way it is divided there.
INSERT INTO candidate
SELECT DISTINCT line_id, item_kind, item_id
FROM spelling
JOIN rest_line AS line USING (line_id)
JOIN rest_item AS item ON item.line_kind = spelling.line_kind AND item.key = spelling.key
WHERE line.merchant IS NULL OR line.merchant = item.merchant
