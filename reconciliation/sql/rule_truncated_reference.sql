-- The line carries the beginning of the reference, at least 12 characters of it.
-- Every reference is cut to each of the lengths there are: that is a hash join, however alike they begin.
WITH line AS (
    SELECT line_id, line_kind, merchant, key FROM rest_line
    WHERE key <> ''
        AND length(regexp_replace(reference, '[^A-Za-z0-9]+$|^\s+', '', 'g')) >= 12
),
shortened AS MATERIALIZED (
    SELECT item_kind, item_id, line_kind, merchant, left(key, cut.length) AS key
    FROM (SELECT DISTINCT length(key) AS length FROM line) AS cut
    JOIN rest_item ON length(key) >= cut.length
)
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM line JOIN shortened AS item USING (line_kind, key)
WHERE line.merchant IS NULL OR line.merchant = item.merchant
