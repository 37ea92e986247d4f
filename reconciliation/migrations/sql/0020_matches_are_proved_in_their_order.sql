-- As before, with the keys of won disputes, and fewer passes over the matches. They come nearly in the order
-- of their lines and payments: read in order, both are walked once beside them, where a hash of a million
-- would be filled and searched.
CREATE OR REPLACE FUNCTION reconciliation_check_matches() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    others bigint;
    first_run bigint;
    last_run bigint;
    lost bigint;
    wrong bigint;
BEGIN
    EXECUTE 'SELECT min(match.id) FILTER (WHERE line.id IS NULL), min(match.line_id)
        FROM (SELECT id, line_id, amount FROM new_match ORDER BY line_id) AS match
        LEFT JOIN reconciliation_statementline AS line ON line.id = match.line_id
        WHERE line.id IS NULL OR abs(match.amount) > abs(line.net)
            OR (match.amount > 0) <> (line.net > 0) OR (match.amount < 0) <> (line.net < 0)'
        INTO lost, wrong;
    IF lost IS NULL THEN
        EXECUTE 'SELECT min(match.id)
            FROM (SELECT id, payment_id FROM new_match ORDER BY payment_id) AS match
            LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
            WHERE match.payment_id IS NOT NULL AND payment.id IS NULL' INTO lost;
    END IF;
    EXECUTE 'SELECT min(run_id), max(run_id), count(*) FILTER (
                    WHERE coalesce(refund_id, dispute_id, won_dispute_id, processor_payout_id, payout_id)
                        IS NOT NULL)
        FROM new_match' INTO first_run, last_run, others;
    IF lost IS NULL AND others > 0 THEN
        EXECUTE 'SELECT min(match.id)
            FROM new_match AS match
            LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
            LEFT JOIN payments_dispute AS dispute ON dispute.id = match.dispute_id
            LEFT JOIN payments_dispute AS won ON won.id = match.won_dispute_id
            LEFT JOIN reconciliation_processorpayout AS arrived
                ON arrived.id = match.processor_payout_id
            LEFT JOIN settlements_payout AS payout ON payout.id = match.payout_id
            WHERE (match.refund_id, match.dispute_id, match.won_dispute_id,
                   match.processor_payout_id, match.payout_id)
                IS DISTINCT FROM (refund.id, dispute.id, won.id, arrived.id, payout.id)' INTO lost;
    END IF;
    IF lost IS NULL THEN
        EXECUTE 'SELECT min(run_id)
            FROM (
                SELECT $1 AS run_id
                UNION SELECT run_id FROM new_match WHERE $1 <> $2
            ) AS match
            WHERE NOT EXISTS (
                SELECT FROM reconciliation_reconciliationrun AS run WHERE run.id = match.run_id)'
            INTO lost USING first_run, last_run;
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
                FROM (SELECT id, line_id FROM new_match ORDER BY line_id) AS match
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
DROP TRIGGER reconciliation_match_about_a_won_dispute ON reconciliation_match;
DROP FUNCTION reconciliation_check_won_disputes()
