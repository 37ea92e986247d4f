-- Findings' keys are checked row by row again; Django adds them back.
DROP TRIGGER reconciliation_discrepancy_still_about_something ON reconciliation_discrepancy;
DROP TRIGGER reconciliation_discrepancy_about_something ON reconciliation_discrepancy;
DROP FUNCTION reconciliation_check_findings();
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_source;
DROP TRIGGER reconciliation_key_stays ON reconciliation_source;
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_payment
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'payment_id');
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_refund
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'refund_id');
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_reconciliationrun
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'run_id');
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementline
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_matchline', 'line_id');
CREATE OR REPLACE FUNCTION reconciliation_check_matches() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE 'SELECT id FROM new_match AS match
        WHERE payment_id IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM payments_payment AS payment WHERE payment.id = match.payment_id)
        LIMIT 1' INTO wrong;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT match.id
            FROM new_match AS match
            LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
            LEFT JOIN payments_dispute AS dispute ON dispute.id = match.dispute_id
            LEFT JOIN reconciliation_processorpayout AS arrived
                ON arrived.id = match.processor_payout_id
            LEFT JOIN settlements_payout AS payout ON payout.id = match.payout_id
            WHERE match.payment_id IS NULL
                AND (match.refund_id, match.dispute_id, match.processor_payout_id, match.payout_id)
                    IS DISTINCT FROM (refund.id, dispute.id, arrived.id, payout.id)
            LIMIT 1' INTO wrong;
    END IF;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT run_id FROM (SELECT DISTINCT run_id FROM new_match) AS match
            WHERE NOT EXISTS (
                SELECT FROM reconciliation_reconciliationrun AS run WHERE run.id = match.run_id)
            LIMIT 1' INTO wrong;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'match or run % is about nothing there is', wrong
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_match_about_something';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION reconciliation_check_match_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
    is_lost boolean;
BEGIN
    EXECUTE 'SELECT part.line_id, line.id IS NULL OR match.id IS NULL
        FROM new_part AS part
        LEFT JOIN reconciliation_statementline AS line ON line.id = part.line_id
        LEFT JOIN reconciliation_match AS match ON match.id = part.match_id
        WHERE line.id IS NULL OR match.id IS NULL OR abs(part.amount) > abs(line.net)
            OR (part.amount > 0) <> (line.net > 0) OR (part.amount < 0) <> (line.net < 0)
        LIMIT 1' INTO wrong, is_lost;
    IF is_lost THEN
        RAISE EXCEPTION 'a part of line % is of no match, or of no line', wrong
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_part_of_match_and_line';
    END IF;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT used.line_id
            FROM (
                SELECT line_id, sum(amount) AS total FROM reconciliation_matchline AS part
                WHERE EXISTS (SELECT FROM new_part WHERE new_part.line_id = part.line_id)
                GROUP BY line_id HAVING count(*) > 1
            ) AS used
            JOIN reconciliation_statementline AS line ON line.id = used.line_id
            WHERE abs(total) > abs(net) OR net = 0
            LIMIT 1' INTO wrong;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'matches use more of statement line % than there is', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_line_not_exceeded';
    END IF;
    RETURN NULL;
END $$;
ALTER TABLE reconciliation_discrepancy
    DROP CONSTRAINT reconciliation_discrepancy_source_fk,
    DROP CONSTRAINT reconciliation_discrepancy_payment_fk,
    DROP CONSTRAINT reconciliation_discrepancy_refund_fk,
    DROP CONSTRAINT reconciliation_discrepancy_line_fk,
    DROP CONSTRAINT reconciliation_discrepancy_opened_by_fk,
    DROP CONSTRAINT reconciliation_discrepancy_resolved_by_fk;
CREATE INDEX reconciliation_discrepancy_public_id_4acc0d08_like
    ON reconciliation_discrepancy (public_id varchar_pattern_ops);
CREATE INDEX reconciliation_discrepancy_key_1dc03a45_like
    ON reconciliation_discrepancy (key varchar_pattern_ops)
