DROP TRIGGER ledger_periods_begin_in_order ON ledger_accountingperiod;

CREATE OR REPLACE FUNCTION ledger_check_periods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM old_period JOIN new_period USING (id)
        WHERE old_period.status = 'LOCKED' AND new_period.status <> 'LOCKED'
    ) THEN
        RAISE EXCEPTION 'a locked period stays locked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_stays_locked';
    END IF;
    IF (SELECT min(starts_at) FROM ledger_accountingperiod WHERE status = 'OPEN')
        < (SELECT max(starts_at) FROM ledger_accountingperiod WHERE status <> 'OPEN')
    THEN
        RAISE EXCEPTION 'periods are closed in order and opened again in reverse order'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_periods_close_in_order';
    END IF;
    RETURN NULL;
END $$;
