-- The reference stands in the line's text by itself, in whatever way it is divided there.
INSERT INTO candidate
SELECT DISTINCT line_id, item_kind, item_id
FROM spelling JOIN rest_item USING (line_kind, key)
