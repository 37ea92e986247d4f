-- Who writes events says so before it draws their ids: the ids are higher than what it locks, which is
-- the last one drawn so far. Readers leave out what is higher than the lowest such lock
-- (payments/sql/read_event_horizon.sql), so that what is seen is never joined by an older one.
CREATE FUNCTION payments_announce_events() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Once for each transaction, however many statements it writes them by. A savepoint that is rolled
    -- back takes the lock and this note with it.
    IF coalesce(current_setting('tieout.events_announced', true), '') = '' THEN
        PERFORM pg_advisory_xact_lock_shared(
            7008::bigint << 48 | coalesce(pg_sequence_last_value('payments_event_id_seq'), 0)
        );
        PERFORM set_config('tieout.events_announced', 'yes', true);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER payments_event_announced BEFORE INSERT ON payments_event
    FOR EACH STATEMENT EXECUTE FUNCTION payments_announce_events();
