-- Payments and idempotency keys are of a merchant and a gateway that exist, proved in one pass per
-- statement: keys that are enforced cost a query of its own per row and key, and that was a fifth of
-- writing a batch of payments. The keys stay declared, for readers and tools.
ALTER TABLE payments_payment ADD CONSTRAINT payments_payment_merchant_fk
    FOREIGN KEY (merchant_id) REFERENCES payments_merchant (id) NOT ENFORCED;
ALTER TABLE payments_payment ADD CONSTRAINT payments_payment_gateway_fk
    FOREIGN KEY (gateway_id) REFERENCES payments_gateway (id) NOT ENFORCED;
ALTER TABLE payments_idempotencykey ADD CONSTRAINT payments_idempotencykey_merchant_fk
    FOREIGN KEY (merchant_id) REFERENCES payments_merchant (id) NOT ENFORCED;

-- Plans are kept, and made without knowing the tables: always by index, row by row, which costs least
-- where a statement writes one row, and little where it writes a thousand.
CREATE FUNCTION payments_check_payments() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_payment AS payment
        WHERE (SELECT id FROM payments_merchant WHERE id = payment.merchant_id) IS NULL
            OR (SELECT id FROM payments_gateway WHERE id = payment.gateway_id) IS NULL
    ) THEN
        RAISE EXCEPTION 'a payment needs a merchant and a gateway that exist'
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'payments_payment_of_merchant_and_gateway';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payments_payment_of_merchant_and_gateway AFTER INSERT ON payments_payment
REFERENCING NEW TABLE AS new_payment
FOR EACH STATEMENT EXECUTE FUNCTION payments_check_payments();

CREATE FUNCTION payments_check_idempotency_keys() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_key
        WHERE (SELECT id FROM payments_merchant WHERE id = new_key.merchant_id) IS NULL
    ) THEN
        RAISE EXCEPTION 'an idempotency key needs a merchant that exists'
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'payments_idempotencykey_of_merchant';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payments_idempotencykey_of_merchant AFTER INSERT ON payments_idempotencykey
REFERENCING NEW TABLE AS new_key
FOR EACH STATEMENT EXECUTE FUNCTION payments_check_idempotency_keys();

-- So it stays: they are never of another one, and merchants and gateways are never deleted
-- (facts_stay.sql).
CREATE TRIGGER payments_payment_is_fixed AFTER UPDATE ON payments_payment
FOR EACH ROW WHEN ((old.merchant_id, old.gateway_id) <> (new.merchant_id, new.gateway_id))
EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER payments_idempotencykey_is_fixed AFTER UPDATE ON payments_idempotencykey
FOR EACH ROW WHEN (old.merchant_id <> new.merchant_id) EXECUTE FUNCTION ledger_refuse_change();
