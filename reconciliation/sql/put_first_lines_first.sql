-- Whichever rule found a line: the first one for an item, by booking date and place in the file, is
-- its match, and the others are repeats.
WITH again AS (SELECT DISTINCT item_kind, item_id FROM repeated),
line AS (
    SELECT rule_no, line_id, item_kind, item_id FROM found JOIN again USING (item_kind, item_id)
    UNION ALL SELECT rule_no, line_id, item_kind, item_id FROM repeated
),
ranked AS (
    SELECT line.*, row_number() OVER (
        PARTITION BY item_kind, item_id ORDER BY booked_on, value_on, file_no, line_no
    ) AS nth
    FROM line JOIN open_line USING (line_id)
),
swap AS (
    SELECT item_kind, item_id, found.line_id AS later_line, found.rule_no AS later_rule,
           ranked.line_id AS first_line, ranked.rule_no AS first_rule
    FROM found JOIN ranked USING (item_kind, item_id)
    WHERE nth = 1 AND ranked.line_id <> found.line_id
),
promoted AS (
    UPDATE found SET line_id = first_line, rule_no = first_rule
    FROM swap WHERE found.item_kind = swap.item_kind AND found.item_id = swap.item_id
)
UPDATE repeated SET line_id = later_line, rule_no = later_rule
FROM swap WHERE repeated.line_id = first_line
