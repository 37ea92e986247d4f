-- The parts of a line that matches use have its sign and never add up to more than the line.
CREATE FUNCTION reconciliation_check_match_lines() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    exceeded bigint;
BEGIN
    SELECT line.id INTO exceeded
    FROM (SELECT DISTINCT line_id FROM new_part) AS touched
    JOIN reconciliation_statementline AS line ON line.id = touched.line_id
    JOIN reconciliation_matchline AS part ON part.line_id = line.id
    GROUP BY line.id, line.net
    HAVING abs(sum(part.amount)) > abs(line.net)
        OR bool_or(sign(part.amount) <> sign(line.net))
        OR (line.net = 0 AND count(*) > 1)
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
