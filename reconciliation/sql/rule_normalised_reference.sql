-- The references are equal once case, spaces and punctuation are gone.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line JOIN rest_item USING (line_kind, key)
WHERE key <> ''
