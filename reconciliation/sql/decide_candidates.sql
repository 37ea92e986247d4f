-- Accept a line's candidate if it is the only one of the merchant the line names (or the only one at
-- all, if it names none of ours); otherwise the line stays open with its candidates. Of several lines
-- for one item the first in booking date and file order is the match, unless the rule does not prove
-- identity.
WITH undecided AS (
    SELECT candidate.*, line.booked_on, line.value_on, line.file_id, line.line_no,
           count(*) OVER (PARTITION BY line_id) AS items
    FROM candidate
    JOIN open_line AS line USING (line_id)
    JOIN open_item AS item USING (item_kind, item_id)
    WHERE (line.merchant IS NULL OR line.merchant = item.merchant)
        AND NOT EXISTS (SELECT FROM found WHERE found.line_id = candidate.line_id)
        AND NOT EXISTS (
            SELECT FROM found
            WHERE found.item_kind = candidate.item_kind AND found.item_id = candidate.item_id
        )
),
ranked AS (
    SELECT *,
           row_number() OVER item_lines AS nth,
           count(*) OVER (PARTITION BY item_kind, item_id) AS lines
    FROM undecided WHERE items = 1
    WINDOW item_lines AS (
        PARTITION BY item_kind, item_id ORDER BY booked_on, value_on, file_id, line_no
    )
),
matched AS (
    INSERT INTO found (rule_no, line_id, item_kind, item_id)
    SELECT %(rule_no)s, line_id, item_kind, item_id FROM ranked
    WHERE nth = 1 AND (lines = 1 OR %(proves_identity)s)
    RETURNING line_id
),
seen_again AS (
    INSERT INTO repeated (rule_no, line_id, item_kind, item_id)
    SELECT %(rule_no)s, line_id, item_kind, item_id FROM ranked
    WHERE nth > 1 AND %(proves_identity)s
    RETURNING line_id
)
INSERT INTO tied (line_id, item_kind, item_id)
SELECT line_id, item_kind, item_id FROM undecided
WHERE line_id NOT IN (SELECT line_id FROM matched UNION ALL SELECT line_id FROM seen_again)
