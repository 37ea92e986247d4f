-- Django drops the column with its index and its key.
CREATE OR REPLACE TRIGGER reconciliation_keep_what_is_used AFTER DELETE ON payments_dispute
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION reconciliation_keep_what_is_used('reconciliation_match', 'dispute_id');
DROP TRIGGER reconciliation_match_stays_as_it_is ON reconciliation_match;
ALTER TABLE reconciliation_match ALTER COLUMN kind TYPE varchar(8);
CREATE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.payment_id, old.refund_id, old.dispute_id,
     old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.payment_id, new.refund_id, new.dispute_id,
     new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
DROP TRIGGER reconciliation_won_dispute_stays ON reconciliation_match;
DROP TRIGGER reconciliation_match_about_a_won_dispute ON reconciliation_match;
DROP FUNCTION reconciliation_check_won_disputes()
