-- The line carries the beginning of the reference, at least 12 characters of it.
-- Equal beginnings of 10 letters and digits first: that is a hash join.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line JOIN rest_item AS item
    ON item.line_kind = line.line_kind AND left(item.key, 10) = left(line.key, 10)
        AND starts_with(item.key, line.key)
WHERE length(regexp_replace(line.reference, '[^A-Za-z0-9]+$|^\s+', '', 'g')) >= 12
