-- Lines left over that carry a reference, and what an item's reference would have to be: the whole of it,
-- a part of the text, or, without what is glued to its front, every ending.
-- A line that a run before found to be nobody's, or a repeat, can only repeat what was matched since.
DROP TABLE IF EXISTS unfound_line, probe, known_item;
CREATE TEMPORARY TABLE unfound_line ON COMMIT DROP AS
SELECT line.*, EXISTS (
    SELECT FROM reconciliation_discrepancy AS known
    WHERE known.line_id = line.line_id AND known.type IN ('orphan_line', 'duplicate_line')
) AS is_known
FROM rest_line AS line
WHERE key <> ''
    AND NOT EXISTS (SELECT FROM tied WHERE tied.line_id = line.line_id)
    AND NOT EXISTS (SELECT FROM found WHERE found.line_id = line.line_id)
    AND NOT EXISTS (SELECT FROM repeated WHERE repeated.line_id = line.line_id);
CREATE TEMPORARY TABLE probe ON COMMIT DROP AS
SELECT line_id, line_kind, key, %(normalised_rule)s AS rule_no FROM unfound_line
UNION ALL
SELECT line_id, line_kind, spelling.key, %(in_text_rule)s
FROM unfound_line JOIN spelling USING (line_id, line_kind)
UNION ALL
SELECT line_id, line_kind, right(key, length), %(prefixed_rule)s
FROM unfound_line CROSS JOIN LATERAL generate_series(12, length(key) - 1) AS length;
ANALYZE unfound_line;
ANALYZE probe
