-- Each match has one line: they are kept in one row, and proved in one pass.
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE reconciliation_match AS match SET line_id = part.line_id, amount = part.amount
FROM reconciliation_matchline AS part WHERE part.match_id = match.id;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_match;
DROP TABLE reconciliation_matchline;
DROP FUNCTION reconciliation_check_match_lines();
ALTER TABLE reconciliation_match
    ADD CONSTRAINT reconciliation_match_line_fk
        FOREIGN KEY (line_id) REFERENCES reconciliation_statementline (id) NOT ENFORCED;

CREATE OR REPLACE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.line_id, old.payment_id, old.refund_id, old.dispute_id,
     old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.line_id, new.payment_id, new.refund_id, new.dispute_id,
     new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementline
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'line_id', 'reconciliation_discrepancy', 'line_id'
);

-- What a match uses has the sign of its line, and all that use it never add up to more than the line.
-- Nearly always it is one match: only of the others anything is added up.
CREATE OR REPLACE FUNCTION reconciliation_check_matches() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lost bigint;
    wrong bigint;
BEGIN
    EXECUTE 'SELECT min(match.id) FILTER (
                        WHERE line.id IS NULL
                            OR match.payment_id IS NOT NULL AND payment.id IS NULL),
                    min(match.line_id)
        FROM new_match AS match
        LEFT JOIN reconciliation_statementline AS line ON line.id = match.line_id
        LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
        WHERE line.id IS NULL OR match.payment_id IS NOT NULL AND payment.id IS NULL
            OR abs(match.amount) > abs(line.net)
            OR (match.amount > 0) <> (line.net > 0) OR (match.amount < 0) <> (line.net < 0)'
        INTO lost, wrong;
    IF lost IS NULL THEN
        EXECUTE 'SELECT min(match.id)
            FROM new_match AS match
            LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
            LEFT JOIN payments_dispute AS dispute ON dispute.id = match.dispute_id
            LEFT JOIN reconciliation_processorpayout AS arrived
                ON arrived.id = match.processor_payout_id
            LEFT JOIN settlements_payout AS payout ON payout.id = match.payout_id
            WHERE match.payment_id IS NULL
                AND (match.refund_id, match.dispute_id, match.processor_payout_id, match.payout_id)
                    IS DISTINCT FROM (refund.id, dispute.id, arrived.id, payout.id)' INTO lost;
    END IF;
    IF lost IS NULL THEN
        EXECUTE 'SELECT min(run_id) FROM (SELECT DISTINCT run_id FROM new_match) AS match
            WHERE NOT EXISTS (
                SELECT FROM reconciliation_reconciliationrun AS run WHERE run.id = match.run_id)'
            INTO lost;
    END IF;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'match or run % is about nothing there is', lost
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_match_about_something';
    END IF;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT min(line.id)
            FROM (
                SELECT DISTINCT match.line_id
                FROM new_match AS match
                JOIN reconciliation_match AS other
                    ON other.line_id = match.line_id AND other.id <> match.id
            ) AS shared
            JOIN reconciliation_statementline AS line ON line.id = shared.line_id
            CROSS JOIN LATERAL (
                SELECT sum(amount) AS total FROM reconciliation_match WHERE line_id = line.id
            ) AS used
            WHERE abs(total) > abs(line.net) OR line.net = 0' INTO wrong;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'matches use more of statement line % than there is', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_line_not_exceeded';
    END IF;
    RETURN NULL;
END $$
