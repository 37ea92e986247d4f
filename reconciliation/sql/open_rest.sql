-- What the exact rule left over, with references reduced to what survives retyping.
CREATE TEMPORARY TABLE rest_line ON COMMIT DROP AS
SELECT line.*, upper(regexp_replace(reference, '[^A-Za-z0-9]', '', 'g')) AS key
FROM open_line AS line
WHERE NOT EXISTS (SELECT FROM found WHERE found.line_id = line.line_id)
    AND NOT EXISTS (SELECT FROM repeated WHERE repeated.line_id = line.line_id);
CREATE TEMPORARY TABLE rest_item ON COMMIT DROP AS
SELECT item.*, upper(regexp_replace(reference, '[^A-Za-z0-9]', '', 'g')) AS key
FROM open_item AS item
WHERE NOT EXISTS (
    SELECT FROM found WHERE found.item_kind = item.item_kind AND found.item_id = item.item_id
);
-- Up to six neighbouring parts of a line's reference, written together: one of them may be it.
CREATE TEMPORARY TABLE spelling ON COMMIT DROP AS
SELECT DISTINCT line_id, line_kind, array_to_string(parts[first:last], '') AS key
FROM (
    SELECT line_id, line_kind, regexp_split_to_array(upper(reference), '[^A-Z0-9]+') AS parts
    FROM rest_line
) AS line
CROSS JOIN LATERAL generate_series(1, least(cardinality(parts), 40)) AS first
CROSS JOIN LATERAL generate_series(first, least(first + 5, cardinality(parts))) AS last
WHERE length(array_to_string(parts[first:last], '')) >= 8;
ANALYZE rest_line;
ANALYZE rest_item;
ANALYZE spelling
