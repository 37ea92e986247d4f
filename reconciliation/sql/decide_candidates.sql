-- Accept a line's candidate if it is the only one of the merchant the line names (or the only one at
-- all, if it names none of ours); otherwise the line stays open with its candidates. What people took
-- apart is no candidate. Of several lines for one item the first in booking date and file order is the
-- match, unless the rule does not prove identity. Only what is not alone on both sides is ranked.
WITH undecided AS MATERIALIZED (
    SELECT * FROM candidate
    WHERE NOT EXISTS (SELECT FROM found WHERE found.line_id = candidate.line_id)
        AND NOT EXISTS (
            SELECT FROM found
            WHERE found.item_kind = candidate.item_kind AND found.item_id = candidate.item_id
        )
        AND NOT EXISTS (
            SELECT FROM reconciliation_undonematch AS undone
            WHERE undone.line_id = candidate.line_id AND undone.kind = candidate.item_kind
                AND undone.subject_id = candidate.item_id
        )
),
several_items AS (SELECT line_id FROM undecided GROUP BY line_id HAVING count(*) > 1),
several_lines AS (
    SELECT item_kind, item_id FROM undecided GROUP BY item_kind, item_id HAVING count(*) > 1
),
judged AS (
    SELECT undecided.*,
           several_items.line_id IS NOT NULL OR several_lines.item_id IS NOT NULL AS is_contested
    FROM undecided
    LEFT JOIN several_items USING (line_id)
    LEFT JOIN several_lines USING (item_kind, item_id)
),
contested AS MATERIALIZED (
    SELECT candidate.*, line.booked_on, line.value_on, line.file_no, line.line_no,
           count(*) OVER (PARTITION BY line_id) AS items
    FROM (SELECT line_id, item_kind, item_id FROM judged WHERE is_contested) AS candidate
    JOIN open_line AS line USING (line_id)
),
ranked AS (
    SELECT *,
           row_number() OVER item_lines AS nth,
           count(*) OVER (PARTITION BY item_kind, item_id) AS lines
    FROM contested WHERE items = 1
    WINDOW item_lines AS (
        PARTITION BY item_kind, item_id ORDER BY booked_on, value_on, file_no, line_no
    )
),
matched AS (
    INSERT INTO found (rule_no, line_id, item_kind, item_id)
    SELECT %(rule_no)s, line_id, item_kind, item_id FROM judged WHERE NOT is_contested
    UNION ALL
    SELECT %(rule_no)s, line_id, item_kind, item_id FROM ranked
    WHERE nth = 1 AND (lines = 1 OR %(proves_identity)s)
),
seen_again AS (
    INSERT INTO repeated (rule_no, line_id, item_kind, item_id)
    SELECT %(rule_no)s, line_id, item_kind, item_id FROM ranked
    WHERE nth > 1 AND %(proves_identity)s
)
INSERT INTO tied (line_id, item_kind, item_id)
SELECT line_id, item_kind, item_id FROM contested
WHERE NOT EXISTS (
    SELECT FROM ranked
    WHERE ranked.line_id = contested.line_id AND (lines = 1 OR %(proves_identity)s)
)
