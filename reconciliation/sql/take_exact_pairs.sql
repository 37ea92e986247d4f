-- The exact rule for pairs that nothing else may be about and that are not alike.
INSERT INTO found (rule_no, line_id, item_kind, item_id)
SELECT %(rule_no)s, line_id, CASE WHEN item_no < 0 THEN 'refund' ELSE 'payment' END, abs(item_no)
FROM line_and_item AS pair
WHERE NOT is_alike
    AND item_no IS NOT NULL
    AND NOT EXISTS (SELECT FROM found WHERE found.line_id = pair.line_id)
