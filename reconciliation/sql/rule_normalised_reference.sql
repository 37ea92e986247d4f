-- The references are equal once case, spaces and punctuation are gone.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line JOIN rest_item AS item USING (line_kind, key)
WHERE key <> '' AND (line.merchant IS NULL OR line.merchant = item.merchant)
