-- The keys are checked row by row again; Django adds them back.
DROP TRIGGER payments_gateway_stays ON payments_gateway;
DROP TRIGGER payments_merchant_stays ON payments_merchant;
DROP TRIGGER payments_idempotencykey_is_fixed ON payments_idempotencykey;
DROP TRIGGER payments_payment_is_fixed ON payments_payment;
DROP TRIGGER payments_idempotencykey_of_merchant ON payments_idempotencykey;
DROP FUNCTION payments_check_idempotency_keys();
DROP TRIGGER payments_payment_of_merchant_and_gateway ON payments_payment;
DROP FUNCTION payments_check_payments();
ALTER TABLE payments_idempotencykey DROP CONSTRAINT payments_idempotencykey_merchant_fk;
ALTER TABLE payments_payment
    DROP CONSTRAINT payments_payment_gateway_fk,
    DROP CONSTRAINT payments_payment_merchant_fk;
