-- What matches, lines and discrepancies point at keeps its key and is not deleted.
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
CREATE TRIGGER reconciliation_key_stays BEFORE UPDATE OF id ON reconciliation_source
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- The arguments are tables and columns that point at it.
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
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'payment_id', 'reconciliation_discrepancy', 'payment_id'
);
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_refund
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'refund_id', 'reconciliation_discrepancy', 'refund_id'
);
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_dispute
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'dispute_id', 'reconciliation_match', 'won_dispute_id'
);
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON settlements_payout
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'payout_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_processorpayout
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'processor_payout_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_reconciliationrun
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'run_id', 'reconciliation_discrepancy', 'opened_by_id',
    'reconciliation_discrepancy', 'resolved_by_id'
);
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementline
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_match', 'line_id', 'reconciliation_discrepancy', 'line_id'
);
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_statementfile
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_statementline', 'file_id');
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_sourceaccount
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used(
    'reconciliation_statementline', 'source_account_id'
);
CREATE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON reconciliation_source
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_discrepancy', 'source_id');
