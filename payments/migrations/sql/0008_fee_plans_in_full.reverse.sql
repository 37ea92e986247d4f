DROP TRIGGER payments_feeplan_is_fixed ON payments_feeplan;
DROP TRIGGER payments_feeplan_in_force_stays ON payments_feeplan;
DROP TRIGGER payments_payment_stays ON payments_payment;
DROP TRIGGER payments_refund_stays ON payments_refund;
DROP TRIGGER payments_dispute_stays ON payments_dispute;
