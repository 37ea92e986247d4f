-- Won disputes by a trigger of their own, as before.
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
END $$;
CREATE FUNCTION reconciliation_check_won_disputes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lost bigint;
BEGIN
    EXECUTE 'SELECT min(match.id)
        FROM (SELECT id, won_dispute_id FROM new_match WHERE won_dispute_id IS NOT NULL) AS match
        LEFT JOIN payments_dispute AS dispute ON dispute.id = match.won_dispute_id
        WHERE dispute.id IS NULL' INTO lost;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'match % is about nothing there is', lost
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_match_about_something';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reconciliation_match_about_a_won_dispute AFTER INSERT ON reconciliation_match
REFERENCING NEW TABLE AS new_match
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_won_disputes()
