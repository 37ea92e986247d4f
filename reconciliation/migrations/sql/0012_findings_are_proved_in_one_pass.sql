-- What findings point at is proved in one pass per statement as well: of a million payments that are not
-- due yet, each is one. Without LIMIT a pass is planned for all the rows there are, not for the first.
SET CONSTRAINTS ALL IMMEDIATE;
DROP INDEX IF EXISTS reconciliation_discrepancy_public_id_4acc0d08_like;
DROP INDEX IF EXISTS reconciliation_discrepancy_key_1dc03a45_like;
ALTER TABLE reconciliation_discrepancy
    ADD CONSTRAINT reconciliation_discrepancy_source_fk
        FOREIGN KEY (source_id) REFERENCES reconciliation_source (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_payment_fk
        FOREIGN KEY (payment_id) REFERENCES payments_payment (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_refund_fk
        FOREIGN KEY (refund_id) REFERENCES payments_refund (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_line_fk
        FOREIGN KEY (line_id) REFERENCES reconciliation_statementline (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_opened_by_fk
        FOREIGN KEY (opened_by_id) REFERENCES reconciliation_reconciliationrun (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_resolved_by_fk
        FOREIGN KEY (resolved_by_id) REFERENCES reconciliation_reconciliationrun (id) NOT ENFORCED;

CREATE FUNCTION reconciliation_check_findings() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE 'SELECT min(finding.id)
        FROM new_finding AS finding
        LEFT JOIN reconciliation_source AS source ON source.id = finding.source_id
        LEFT JOIN payments_payment AS payment ON payment.id = finding.payment_id
        LEFT JOIN payments_refund AS refund ON refund.id = finding.refund_id
        LEFT JOIN reconciliation_statementline AS line ON line.id = finding.line_id
        LEFT JOIN reconciliation_reconciliationrun AS opened ON opened.id = finding.opened_by_id
        LEFT JOIN reconciliation_reconciliationrun AS resolved
            ON resolved.id = finding.resolved_by_id
        WHERE source.id IS NULL OR opened.id IS NULL
            OR finding.payment_id IS NOT NULL AND payment.id IS NULL
            OR finding.refund_id IS NOT NULL AND refund.id IS NULL
            OR finding.line_id IS NOT NULL AND line.id IS NULL
            OR finding.resolved_by_id IS NOT NULL AND resolved.id IS NULL' INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'discrepancy % is about nothing there is', wrong
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_discrepancy_about_something';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reconciliation_discrepancy_about_something AFTER INSERT ON reconciliation_discrepancy
REFERENCING NEW TABLE AS new_finding
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_findings();
CREATE TRIGGER reconciliation_discrepancy_still_about_something
AFTER UPDATE ON reconciliation_discrepancy REFERENCING NEW TABLE AS new_finding
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_findings();

CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON reconciliation_source
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_source
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_discrepancy', 'source_id');
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_payment
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'payment_id', 'reconciliation_discrepancy', 'payment_id'
);
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_refund
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'refund_id', 'reconciliation_discrepancy', 'refund_id'
);
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used
AFTER DELETE ON reconciliation_reconciliationrun
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'run_id', 'reconciliation_discrepancy', 'opened_by_id',
    'reconciliation_discrepancy', 'resolved_by_id'
);
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementline
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_matchline', 'line_id', 'reconciliation_discrepancy', 'line_id'
);

CREATE OR REPLACE FUNCTION reconciliation_check_matches() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE 'SELECT min(match.id)
        FROM new_match AS match
        LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
        WHERE match.payment_id IS NOT NULL AND payment.id IS NULL' INTO wrong;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT min(match.id)
            FROM new_match AS match
            LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
            LEFT JOIN payments_dispute AS dispute ON dispute.id = match.dispute_id
            LEFT JOIN reconciliation_processorpayout AS arrived
                ON arrived.id = match.processor_payout_id
            LEFT JOIN settlements_payout AS payout ON payout.id = match.payout_id
            WHERE match.payment_id IS NULL
                AND (match.refund_id, match.dispute_id, match.processor_payout_id, match.payout_id)
                    IS DISTINCT FROM (refund.id, dispute.id, arrived.id, payout.id)' INTO wrong;
    END IF;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT min(run_id) FROM (SELECT DISTINCT run_id FROM new_match) AS match
            WHERE NOT EXISTS (
                SELECT FROM reconciliation_reconciliationrun AS run WHERE run.id = match.run_id)'
            INTO wrong;
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
    lost bigint;
    wrong bigint;
BEGIN
    EXECUTE 'SELECT min(part.line_id) FILTER (WHERE line.id IS NULL OR match.id IS NULL),
                    min(part.line_id)
        FROM new_part AS part
        LEFT JOIN reconciliation_statementline AS line ON line.id = part.line_id
        LEFT JOIN reconciliation_match AS match ON match.id = part.match_id
        WHERE line.id IS NULL OR match.id IS NULL OR abs(part.amount) > abs(line.net)
            OR (part.amount > 0) <> (line.net > 0) OR (part.amount < 0) <> (line.net < 0)'
        INTO lost, wrong;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'a part of line % is of no match, or of no line', lost
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_part_of_match_and_line';
    END IF;
    IF wrong IS NULL THEN
        EXECUTE 'SELECT min(line_id)
            FROM (
                SELECT line.id AS line_id
                FROM (
                    SELECT line_id FROM reconciliation_matchline
                    WHERE line_id IN (SELECT line_id FROM new_part)
                    GROUP BY line_id HAVING count(*) > 1
                ) AS shared
                JOIN reconciliation_statementline AS line ON line.id = shared.line_id
                JOIN reconciliation_matchline AS part ON part.line_id = line.id
                GROUP BY line.id HAVING abs(sum(part.amount)) > abs(line.net) OR line.net = 0
            ) AS exceeded' INTO wrong;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'matches use more of statement line % than there is', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_line_not_exceeded';
    END IF;
    RETURN NULL;
END $$
