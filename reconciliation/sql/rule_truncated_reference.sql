-- The line carries the beginning of the reference, at least 12 characters of it.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line JOIN rest_item AS item
    ON item.line_kind = line.line_kind AND starts_with(item.key, line.key)
WHERE length(btrim(line.reference)) >= 12
