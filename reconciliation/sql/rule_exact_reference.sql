-- The line carries exactly the reference. Here it is one that several lines or items share.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM open_line AS line JOIN open_item AS item USING (line_kind, reference)
WHERE reference <> ''
    AND NOT EXISTS (SELECT FROM found WHERE found.line_id = line.line_id)
    AND (line.merchant IS NULL OR line.merchant = item.merchant)
