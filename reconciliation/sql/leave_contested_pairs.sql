-- What several lines or items share, or a person took apart, is left to the rules. A line that names a
-- merchant has one item at most: a merchant's references are unique. Items first: what a line that fits
-- several shares with another line is not the other's alone. They come nearly in order, and sorting them
-- takes less than hashing them.
ANALYZE line_and_item;
UPDATE line_and_item AS pair SET item_no = NULL, is_alike = false
FROM (
    SELECT item_no
    FROM (SELECT item_no FROM line_and_item ORDER BY item_no) AS in_order
    WHERE item_no IS NOT NULL GROUP BY item_no HAVING count(*) > 1
) AS contested
WHERE pair.item_no = contested.item_no;
UPDATE line_and_item AS pair SET item_no = NULL, is_alike = false
FROM (
    SELECT line_id FROM line_and_item WHERE NOT is_named GROUP BY line_id HAVING count(*) > 1
    UNION
    SELECT line_id FROM reconciliation_undonematch
) AS contested
WHERE pair.line_id = contested.line_id
