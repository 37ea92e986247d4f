-- The reference stands in the line's reference text as a word of its own.
INSERT INTO candidate
SELECT DISTINCT line_id, item_kind, item_id
FROM rest_line
CROSS JOIN LATERAL regexp_split_to_table(rest_line.reference, '[^A-Za-z0-9_-]+') AS word
JOIN rest_item ON rest_item.line_kind = rest_line.line_kind
    AND rest_item.key = upper(regexp_replace(word, '[^A-Za-z0-9]', '', 'g'))
WHERE length(rest_item.key) >= 8
