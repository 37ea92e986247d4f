-- A batch is what its lines say, and stays so. Each line is about one thing, so of its unique keys all
-- but one are empty: their indexes leave those out, and a run writes three entries per line, not ten.
ALTER TABLE settlements_settlement
    DROP CONSTRAINT settlements_settlement_payment_id_key,
    DROP CONSTRAINT settlements_settlement_refund_id_key,
    DROP CONSTRAINT settlements_settlement_dispute_id_key,
    DROP CONSTRAINT settlements_settlement_won_dispute_id_key,
    DROP CONSTRAINT settlements_settlement_reserve_held_id_key,
    DROP CONSTRAINT settlements_settlement_reserve_released_id_key,
    DROP CONSTRAINT settlements_settlement_adjustment_id_key,
    DROP CONSTRAINT settlements_settlement_canceled_payout_id_key;
CREATE UNIQUE INDEX settlements_settlement_payment_id_key
    ON settlements_settlement (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_refund_id_key
    ON settlements_settlement (refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_dispute_id_key
    ON settlements_settlement (dispute_id) WHERE dispute_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_won_dispute_id_key
    ON settlements_settlement (won_dispute_id) WHERE won_dispute_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_reserve_held_id_key
    ON settlements_settlement (reserve_held_id) WHERE reserve_held_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_reserve_released_id_key
    ON settlements_settlement (reserve_released_id) WHERE reserve_released_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_adjustment_id_key
    ON settlements_settlement (adjustment_id) WHERE adjustment_id IS NOT NULL;
CREATE UNIQUE INDEX settlements_settlement_canceled_payout_id_key
    ON settlements_settlement (canceled_payout_id) WHERE canceled_payout_id IS NOT NULL;

-- For readers and tools: the triggers below prove it without paying for it row by row.
ALTER TABLE settlements_settlement
    ADD CONSTRAINT settlements_settlement_batch_fk
        FOREIGN KEY (batch_id) REFERENCES settlements_settlementbatch (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_payment_fk
        FOREIGN KEY (payment_id) REFERENCES payments_payment (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_refund_fk
        FOREIGN KEY (refund_id) REFERENCES payments_refund (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_dispute_fk
        FOREIGN KEY (dispute_id) REFERENCES payments_dispute (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_won_dispute_fk
        FOREIGN KEY (won_dispute_id) REFERENCES payments_dispute (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_reserve_held_fk
        FOREIGN KEY (reserve_held_id) REFERENCES settlements_reservehold (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_reserve_released_fk
        FOREIGN KEY (reserve_released_id) REFERENCES settlements_reservehold (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_adjustment_fk
        FOREIGN KEY (adjustment_id) REFERENCES settlements_adjustment (id) NOT ENFORCED,
    ADD CONSTRAINT settlements_settlement_canceled_payout_fk
        FOREIGN KEY (canceled_payout_id) REFERENCES settlements_payout (id) NOT ENFORCED;

-- One pass over the lines of a statement: they are about things of their batch's merchant, and all
-- lines of a closed batch come together and add up to it, so none can be added later.
-- Plans are made anew each time: a plan made for a few lines would take hours for a million.
CREATE FUNCTION settlements_check_lines() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT total.batch_id INTO wrong
    FROM (
        SELECT batch_id, count(*) AS line_count, sum(gross) AS gross, sum(fee) AS fee
        FROM new_line GROUP BY batch_id
    ) AS total
    LEFT JOIN settlements_settlementbatch AS batch ON batch.id = total.batch_id
    WHERE batch.id IS NULL OR batch.status <> 'OPEN'
        AND (batch.line_count, batch.gross, batch.fee)
            <> (total.line_count, total.gross, total.fee)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines of settlement batch % are not what it says', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settlements_batch_is_its_lines';
    END IF;
    SELECT line.id INTO wrong
    FROM new_line AS line
    JOIN settlements_settlementbatch AS batch ON batch.id = line.batch_id
    LEFT JOIN payments_payment AS payment ON payment.id = line.payment_id
    WHERE line.payment_id IS NOT NULL
        AND payment.merchant_id IS DISTINCT FROM batch.merchant_id
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT line.id INTO wrong
        FROM new_line AS line
        JOIN settlements_settlementbatch AS batch ON batch.id = line.batch_id
        LEFT JOIN payments_refund AS refund ON refund.id = line.refund_id
        LEFT JOIN payments_dispute AS dispute
            ON dispute.id = coalesce(line.dispute_id, line.won_dispute_id)
        LEFT JOIN settlements_reservehold AS hold
            ON hold.id = coalesce(line.reserve_held_id, line.reserve_released_id)
        LEFT JOIN settlements_adjustment AS adjustment ON adjustment.id = line.adjustment_id
        LEFT JOIN settlements_payout AS payout ON payout.id = line.canceled_payout_id
        WHERE line.payment_id IS NULL
            AND coalesce(refund.merchant_id, dispute.merchant_id, hold.merchant_id,
                         adjustment.merchant_id, payout.merchant_id)
                IS DISTINCT FROM batch.merchant_id
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'settlement line % is about nothing of its merchant', wrong
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'settlements_line_of_its_merchant';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER settlements_lines_add_up AFTER INSERT ON settlements_settlement
REFERENCING NEW TABLE AS new_line FOR EACH STATEMENT EXECUTE FUNCTION settlements_check_lines();
CREATE TRIGGER settlements_line_is_fixed BEFORE UPDATE OR DELETE ON settlements_settlement
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
