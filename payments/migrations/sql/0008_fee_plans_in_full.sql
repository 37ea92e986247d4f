-- Prices are facts: no plan is changed, and none that has begun is deleted.
CREATE TRIGGER payments_feeplan_is_fixed BEFORE UPDATE ON payments_feeplan
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER payments_feeplan_in_force_stays BEFORE DELETE ON payments_feeplan
FOR EACH ROW WHEN (old.valid_from <= current_date) EXECUTE FUNCTION ledger_refuse_change();

-- What upper floors say about payments, refunds and disputes needs no key that is checked row by
-- row: none of them is ever deleted.
CREATE TRIGGER payments_payment_stays BEFORE DELETE ON payments_payment
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER payments_refund_stays BEFORE DELETE ON payments_refund
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER payments_dispute_stays BEFORE DELETE ON payments_dispute
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

UPDATE payments_dispute SET won_at = coalesce(
    (
        SELECT entry.effective_at FROM ledger_journalentry AS entry
        WHERE entry.idempotency_key = 'dispute_won:' || payments_dispute.public_id
    ),
    effective_at
)
WHERE status = 'WON';
-- The constraint that comes next cannot be added while rows wait for their deferred checks.
SET CONSTRAINTS ALL IMMEDIATE;
