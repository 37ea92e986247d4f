-- Prices are facts: no plan is changed, and none that has begun is deleted. Payments, refunds,
-- disputes, merchants and gateways are never deleted.
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

CREATE TRIGGER payments_merchant_stays BEFORE UPDATE OF id OR DELETE ON payments_merchant
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER payments_gateway_stays BEFORE UPDATE OF id OR DELETE ON payments_gateway
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
