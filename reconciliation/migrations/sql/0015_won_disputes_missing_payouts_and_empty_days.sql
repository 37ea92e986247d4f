-- A dispute's money comes back once, and the match that proves it is about a dispute there is.
SET CONSTRAINTS ALL IMMEDIATE;
DROP TRIGGER reconciliation_match_stays_as_it_is ON reconciliation_match;
ALTER TABLE reconciliation_match ALTER COLUMN kind TYPE varchar(11);
CREATE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.payment_id, old.refund_id, old.dispute_id,
     old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.payment_id, new.refund_id, new.dispute_id,
     new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE reconciliation_match DROP CONSTRAINT reconciliation_match_won_dispute_id_key;
CREATE UNIQUE INDEX reconciliation_match_won_dispute_id_key
    ON reconciliation_match (won_dispute_id) WHERE won_dispute_id IS NOT NULL;
ALTER TABLE reconciliation_match ADD CONSTRAINT reconciliation_match_won_dispute_fk
    FOREIGN KEY (won_dispute_id) REFERENCES payments_dispute (id) NOT ENFORCED;

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
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_won_disputes();
CREATE TRIGGER reconciliation_won_dispute_stays BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (old.won_dispute_id IS DISTINCT FROM new.won_dispute_id)
EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_dispute
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'dispute_id', 'reconciliation_match', 'won_dispute_id'
)
