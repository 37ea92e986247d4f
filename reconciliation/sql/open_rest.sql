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
ANALYZE rest_line;
ANALYZE rest_item
