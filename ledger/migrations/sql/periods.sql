-- What may become of a period, whoever writes it: it is locked only after it was closed and then
-- never changes; its close pack stays while it is closed; it is opened again only by two people,
-- named anew each time. Closed periods are all before open ones.
-- A change of status waits for whoever is posting or changing another period, and looks after that.
CREATE FUNCTION ledger_check_periods() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (
            SELECT FROM old_period JOIN new_period USING (id)
            WHERE old_period.status = 'LOCKED' AND old_period IS DISTINCT FROM new_period
        ) THEN
            RAISE EXCEPTION 'a locked period stays as it is'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_stays_locked';
        END IF;
        IF EXISTS (
            SELECT FROM old_period JOIN new_period USING (id)
            WHERE old_period.status = 'OPEN' AND new_period.status = 'LOCKED'
        ) THEN
            RAISE EXCEPTION 'a period is closed before it is locked'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_closed_first';
        END IF;
        IF EXISTS (
            SELECT FROM old_period JOIN new_period USING (id)
            WHERE old_period.status <> 'OPEN' AND new_period.status <> 'OPEN'
                AND old_period.close_pack <> '{}'
                AND old_period.close_pack <> new_period.close_pack
        ) THEN
            RAISE EXCEPTION 'the close pack of a closed period stays as it is'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_pack_is_fixed';
        END IF;
        IF EXISTS (
            SELECT FROM old_period JOIN new_period USING (id)
            WHERE (old_period.status <> 'OPEN' AND new_period.status = 'OPEN'
                    AND '' IN (new_period.reopening_requested_by, new_period.reopening_approved_by))
                OR (old_period.status = 'OPEN' AND new_period.status <> 'OPEN'
                    AND (new_period.reopening_requested_by, new_period.reopening_approved_by)
                        <> ('', ''))
        ) THEN
            RAISE EXCEPTION 'a period is opened again by two people'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_four_eyes';
        END IF;
        IF NOT EXISTS (
            SELECT FROM old_period JOIN new_period USING (id)
            WHERE old_period.status <> new_period.status
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger:closing', 0));
    IF (SELECT min(starts_at) FROM ledger_accountingperiod WHERE status = 'OPEN')
        < (SELECT max(starts_at) FROM ledger_accountingperiod WHERE status <> 'OPEN')
    THEN
        RAISE EXCEPTION 'periods are closed in order and opened again in reverse order'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_periods_close_in_order';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_periods_close_in_order AFTER UPDATE ON ledger_accountingperiod
REFERENCING NEW TABLE AS new_period OLD TABLE AS old_period
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_periods();
-- An open period put before closed ones could never be closed, nor anything after it.
CREATE TRIGGER ledger_periods_begin_in_order AFTER INSERT ON ledger_accountingperiod
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_periods();
