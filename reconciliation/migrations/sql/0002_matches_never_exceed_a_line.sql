-- The parts of a line that matches use have its sign and never add up to more than the line.
CREATE FUNCTION reconciliation_check_match_lines() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    exceeded bigint;
BEGIN
    -- LATERAL looks each line's parts up by index: the planner cannot know how many lines are touched.
    SELECT line.id INTO exceeded
    FROM new_part
    JOIN reconciliation_statementline AS line ON line.id = new_part.line_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS parts, sum(amount) AS total,
               bool_or(sign(amount) <> sign(line.net)) AS is_opposed
        FROM reconciliation_matchline WHERE line_id = new_part.line_id
    ) AS used
    WHERE abs(total) > abs(line.net) OR is_opposed OR (line.net = 0 AND parts > 1)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'matches use more of statement line % than there is', exceeded
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_line_not_exceeded';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_line_not_exceeded AFTER INSERT ON reconciliation_matchline
REFERENCING NEW TABLE AS new_part
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_match_lines();
