-- A match is about one thing there is, uses a part of one line, of its sign, and all that use a line
-- never add up to more than it. It is proved by triggers, in one pass per statement: a key that is
-- enforced costs a query per row, which was most of the time of a large run. The keys stay declared,
-- for readers and tools.

-- Of the unique keys of a match all but one are empty: their indexes leave those out.
ALTER TABLE reconciliation_match
    DROP CONSTRAINT reconciliation_match_payment_id_key,
    DROP CONSTRAINT reconciliation_match_refund_id_key,
    DROP CONSTRAINT reconciliation_match_dispute_id_key,
    DROP CONSTRAINT reconciliation_match_won_dispute_id_key,
    DROP CONSTRAINT reconciliation_match_processor_payout_id_key,
    DROP CONSTRAINT reconciliation_match_payout_id_key;
CREATE UNIQUE INDEX reconciliation_match_payment_id_key
    ON reconciliation_match (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_refund_id_key
    ON reconciliation_match (refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_dispute_id_key
    ON reconciliation_match (dispute_id) WHERE dispute_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_won_dispute_id_key
    ON reconciliation_match (won_dispute_id) WHERE won_dispute_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_processor_payout_id_key
    ON reconciliation_match (processor_payout_id) WHERE processor_payout_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_payout_id_key
    ON reconciliation_match (payout_id) WHERE payout_id IS NOT NULL;

ALTER TABLE reconciliation_match
    ADD CONSTRAINT reconciliation_match_run_fk
        FOREIGN KEY (run_id) REFERENCES reconciliation_reconciliationrun (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_line_fk
        FOREIGN KEY (line_id) REFERENCES reconciliation_statementline (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_payment_fk
        FOREIGN KEY (payment_id) REFERENCES payments_payment (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_refund_fk
        FOREIGN KEY (refund_id) REFERENCES payments_refund (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_dispute_fk
        FOREIGN KEY (dispute_id) REFERENCES payments_dispute (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_won_dispute_fk
        FOREIGN KEY (won_dispute_id) REFERENCES payments_dispute (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_processor_payout_fk
        FOREIGN KEY (processor_payout_id) REFERENCES reconciliation_processorpayout (id)
        NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_payout_fk
        FOREIGN KEY (payout_id) REFERENCES settlements_payout (id) NOT ENFORCED;

-- EXECUTE plans for the rows there are: a plan made for one row would take an hour for a million.
-- Without LIMIT a pass is planned for all the rows there are, not for the first. Matches come nearly in
-- the order of their lines and payments: read in order, both are walked once beside them, where a hash
-- of a million would be filled and searched. Nearly always one match uses a line: only of the others
-- anything is added up.
CREATE FUNCTION reconciliation_check_matches() RETURNS trigger LANGUAGE plpgsql
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

CREATE TRIGGER reconciliation_match_about_something AFTER INSERT ON reconciliation_match
REFERENCING NEW TABLE AS new_match
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_matches();
-- Nothing points elsewhere later on.
CREATE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.line_id, old.is_converted, old.payment_id, old.refund_id,
     old.dispute_id, old.won_dispute_id, old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.line_id, new.is_converted, new.payment_id, new.refund_id,
     new.dispute_id, new.won_dispute_id, new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
