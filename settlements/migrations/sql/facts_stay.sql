-- Closed batches, decided adjustments, reserves and terms in writing stay as they are, and what
-- settlement lines are about is not deleted.

-- Of a closed batch only the status changes.
CREATE TRIGGER settlements_batch_is_fixed BEFORE UPDATE ON settlements_settlementbatch
FOR EACH ROW WHEN (
    old.status <> 'OPEN' AND (
        new.status = 'OPEN'
        OR (old.id, old.public_id, old.merchant_id, old.currency, old.period, old.line_count,
            old.gross, old.fee, old.net, old.carried_in, old.payout_amount, old.created_at)
        IS DISTINCT FROM
           (new.id, new.public_id, new.merchant_id, new.currency, new.period, new.line_count,
            new.gross, new.fee, new.net, new.carried_in, new.payout_amount, new.created_at)
    )
) EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER settlements_batch_stays BEFORE DELETE ON settlements_settlementbatch
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What lines are about is not deleted, and terms in writing are not changed.
CREATE TRIGGER settlements_hold_is_fixed BEFORE UPDATE OR DELETE ON settlements_reservehold
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER settlements_schedule_is_fixed BEFORE UPDATE OR DELETE ON settlements_settlementschedule
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER settlements_payout_stays BEFORE DELETE ON settlements_payout
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER settlements_adjustment_stays BEFORE DELETE ON settlements_adjustment
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
-- What is approved is what was asked for; once it is decided, it is decided.
CREATE TRIGGER settlements_adjustment_is_fixed BEFORE UPDATE ON settlements_adjustment
FOR EACH ROW WHEN (
    old.status <> 'REQUESTED'
    OR (old.id, old.public_id, old.merchant_id, old.currency, old.amount, old.reason,
        old.requested_by, old.created_at)
    IS DISTINCT FROM
       (new.id, new.public_id, new.merchant_id, new.currency, new.amount, new.reason,
        new.requested_by, new.created_at)
) EXECUTE FUNCTION ledger_refuse_change();
