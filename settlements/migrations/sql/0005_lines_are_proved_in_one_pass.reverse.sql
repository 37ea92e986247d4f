DROP TRIGGER settlements_adjustment_is_fixed ON settlements_adjustment;
DROP TRIGGER settlements_adjustment_stays ON settlements_adjustment;
DROP TRIGGER settlements_payout_stays ON settlements_payout;
DROP TRIGGER settlements_schedule_is_fixed ON settlements_settlementschedule;
DROP TRIGGER settlements_hold_is_fixed ON settlements_reservehold;
DROP TRIGGER settlements_batch_stays ON settlements_settlementbatch;
DROP TRIGGER settlements_batch_is_fixed ON settlements_settlementbatch;
DROP TRIGGER settlements_line_is_fixed ON settlements_settlement;
DROP TRIGGER settlements_lines_add_up ON settlements_settlement;
DROP FUNCTION settlements_check_lines();
ALTER TABLE settlements_settlement
    DROP CONSTRAINT settlements_settlement_batch_fk,
    DROP CONSTRAINT settlements_settlement_payment_fk,
    DROP CONSTRAINT settlements_settlement_refund_fk,
    DROP CONSTRAINT settlements_settlement_dispute_fk,
    DROP CONSTRAINT settlements_settlement_won_dispute_fk,
    DROP CONSTRAINT settlements_settlement_reserve_held_fk,
    DROP CONSTRAINT settlements_settlement_reserve_released_fk,
    DROP CONSTRAINT settlements_settlement_adjustment_fk,
    DROP CONSTRAINT settlements_settlement_canceled_payout_fk;
DROP INDEX settlements_settlement_payment_id_key, settlements_settlement_refund_id_key,
    settlements_settlement_dispute_id_key, settlements_settlement_won_dispute_id_key,
    settlements_settlement_reserve_held_id_key, settlements_settlement_reserve_released_id_key,
    settlements_settlement_adjustment_id_key, settlements_settlement_canceled_payout_id_key;
ALTER TABLE settlements_settlement
    ADD CONSTRAINT settlements_settlement_payment_id_key UNIQUE (payment_id),
    ADD CONSTRAINT settlements_settlement_refund_id_key UNIQUE (refund_id),
    ADD CONSTRAINT settlements_settlement_dispute_id_key UNIQUE (dispute_id),
    ADD CONSTRAINT settlements_settlement_won_dispute_id_key UNIQUE (won_dispute_id),
    ADD CONSTRAINT settlements_settlement_reserve_held_id_key UNIQUE (reserve_held_id),
    ADD CONSTRAINT settlements_settlement_reserve_released_id_key UNIQUE (reserve_released_id),
    ADD CONSTRAINT settlements_settlement_adjustment_id_key UNIQUE (adjustment_id),
    ADD CONSTRAINT settlements_settlement_canceled_payout_id_key UNIQUE (canceled_payout_id);
