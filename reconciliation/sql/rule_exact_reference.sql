-- The line carries exactly the reference.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM open_line AS line JOIN open_item AS item USING (line_kind, reference)
WHERE reference <> '' AND (line.merchant IS NULL OR line.merchant = item.merchant)
