-- What matches and lines point at is proved by triggers, in one pass per statement: a key that is
-- enforced costs a query per row, which was most of the time of a large run. The keys stay declared,
-- for readers and tools. A match is about one thing, so of its unique keys all but one are empty, and
-- their indexes leave those out.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE reconciliation_match
    DROP CONSTRAINT reconciliation_match_payment_id_key,
    DROP CONSTRAINT reconciliation_match_refund_id_key,
    DROP CONSTRAINT reconciliation_match_dispute_id_key,
    DROP CONSTRAINT reconciliation_match_processor_payout_id_key,
    DROP CONSTRAINT reconciliation_match_payout_id_key;
CREATE UNIQUE INDEX reconciliation_match_payment_id_key
    ON reconciliation_match (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_refund_id_key
    ON reconciliation_match (refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_dispute_id_key
    ON reconciliation_match (dispute_id) WHERE dispute_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_processor_payout_id_key
    ON reconciliation_match (processor_payout_id) WHERE processor_payout_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_match_payout_id_key
    ON reconciliation_match (payout_id) WHERE payout_id IS NOT NULL;

ALTER TABLE reconciliation_match
    ADD CONSTRAINT reconciliation_match_run_fk
        FOREIGN KEY (run_id) REFERENCES reconciliation_reconciliationrun (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_payment_fk
        FOREIGN KEY (payment_id) REFERENCES payments_payment (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_refund_fk
        FOREIGN KEY (refund_id) REFERENCES payments_refund (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_dispute_fk
        FOREIGN KEY (dispute_id) REFERENCES payments_dispute (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_processor_payout_fk
        FOREIGN KEY (processor_payout_id) REFERENCES reconciliation_processorpayout (id)
        NOT ENFORCED,
    ADD CONSTRAINT reconciliation_match_payout_fk
        FOREIGN KEY (payout_id) REFERENCES settlements_payout (id) NOT ENFORCED;
ALTER TABLE reconciliation_matchline
    ADD CONSTRAINT reconciliation_matchline_match_fk
        FOREIGN KEY (match_id) REFERENCES reconciliation_match (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_matchline_line_fk
        FOREIGN KEY (line_id) REFERENCES reconciliation_statementline (id) NOT ENFORCED;
ALTER TABLE reconciliation_statementline
    ADD CONSTRAINT reconciliation_statementline_file_fk
        FOREIGN KEY (file_id) REFERENCES reconciliation_statementfile (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_statementline_source_account_fk
        FOREIGN KEY (source_account_id) REFERENCES reconciliation_sourceaccount (id) NOT ENFORCED;

-- EXECUTE plans for the rows there are: a plan made for one row would take an hour for a million.
CREATE FUNCTION reconciliation_check_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE 'SELECT line.file_id
        FROM (SELECT DISTINCT file_id, source_account_id FROM new_line) AS line
        LEFT JOIN reconciliation_statementfile AS file ON file.id = line.file_id
        LEFT JOIN reconciliation_sourceaccount AS account
            ON account.id = line.source_account_id AND account.source_id = file.source_id
        WHERE account.id IS NULL LIMIT 1' INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'lines of statement file % are of no account of its source', wrong
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_lines_have_their_file';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION reconciliation_check_matches() RETURNS trigger LANGUAGE plpgsql
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

-- The parts of a line that matches use have its sign and never add up to more than the line; the line
-- and the match exist. Nearly always a line has one part: only of the others anything is added up.
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

CREATE TRIGGER reconciliation_lines_have_their_file AFTER INSERT ON reconciliation_statementline
REFERENCING NEW TABLE AS new_line FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_lines();
CREATE TRIGGER reconciliation_match_about_something AFTER INSERT ON reconciliation_match
REFERENCING NEW TABLE AS new_match
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_matches();
-- Nothing points elsewhere later on, and what is pointed at keeps its key.
CREATE TRIGGER reconciliation_line_stays_where_it_is BEFORE UPDATE ON reconciliation_statementline
FOR EACH ROW WHEN (
    (old.id, old.file_id, old.source_account_id)
        IS DISTINCT FROM (new.id, new.file_id, new.source_account_id)
) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.payment_id, old.refund_id, old.dispute_id,
     old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.payment_id, new.refund_id, new.dispute_id,
     new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_part_stays_as_it_is BEFORE UPDATE ON reconciliation_matchline
FOR EACH ROW WHEN ((old.match_id, old.line_id) IS DISTINCT FROM (new.match_id, new.line_id))
EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON payments_payment
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON payments_refund
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON payments_dispute
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON settlements_payout
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON reconciliation_processorpayout
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON reconciliation_reconciliationrun
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON reconciliation_statementfile
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON reconciliation_sourceaccount
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What matches and lines point at is not deleted. The arguments are tables and columns that do.
CREATE FUNCTION reconciliation_keep_what_is_used() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    used bigint;
BEGIN
    FOR n IN 0 .. TG_NARGS - 1 BY 2 LOOP
        EXECUTE format('SELECT gone.id FROM gone JOIN %I AS user_ ON user_.%I = gone.id LIMIT 1',
                       TG_ARGV[n], TG_ARGV[n + 1]) INTO used;
        IF used IS NOT NULL THEN
            RAISE EXCEPTION '% % is used by %', TG_TABLE_NAME, used, TG_ARGV[n]
                USING ERRCODE = 'foreign_key_violation',
                      CONSTRAINT = 'reconciliation_keep_what_is_used';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_payment
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'payment_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_refund
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'refund_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_dispute
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'dispute_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON settlements_payout
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'payout_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_processorpayout
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'processor_payout_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_reconciliationrun
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'run_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_match
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_matchline', 'match_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementline
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_matchline', 'line_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementfile
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_statementline', 'file_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_sourceaccount
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_statementline', 'source_account_id');
