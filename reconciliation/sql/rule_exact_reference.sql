-- The line carries exactly the reference.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM open_line JOIN open_item USING (line_kind, reference)
WHERE reference <> ''
