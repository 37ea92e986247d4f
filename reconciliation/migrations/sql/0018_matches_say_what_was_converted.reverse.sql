-- What cannot be changed, without the column that goes.
CREATE OR REPLACE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.line_id, old.payment_id, old.refund_id, old.dispute_id,
     old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.line_id, new.payment_id, new.refund_id, new.dispute_id,
     new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER reconciliation_won_dispute_stays BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (old.won_dispute_id IS DISTINCT FROM new.won_dispute_id)
EXECUTE FUNCTION ledger_refuse_change()
