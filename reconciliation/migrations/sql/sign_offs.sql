-- A sign-off is written once; only its status moves on, and who moved it.
CREATE FUNCTION reconciliation_freeze_sign_off() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'sign-off % is never deleted', OLD.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_signoff_frozen';
    END IF;
    IF NEW.content_hash <> encode(sha256(convert_to(NEW.content, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'sign-off % does not have the hash of its content', NEW.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_signoff_hash';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'PREPARED' THEN
            RAISE EXCEPTION 'sign-off % is not prepared first', NEW.public_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_signoff_frozen';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.public_id, NEW.source_account_id, NEW.day, NEW.known_at, NEW.content,
        NEW.content_hash, NEW.prepared_by, NEW.prepared_at)
        IS DISTINCT FROM
        (OLD.id, OLD.public_id, OLD.source_account_id, OLD.day, OLD.known_at, OLD.content,
         OLD.content_hash, OLD.prepared_by, OLD.prepared_at)
    THEN
        RAISE EXCEPTION 'sign-off % is frozen', OLD.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_signoff_frozen';
    END IF;
    -- Who signed stays; who withdrew and why is written with that step.
    IF (OLD.status, NEW.status) NOT IN (
            ('PREPARED', 'SIGNED'), ('PREPARED', 'WITHDRAWN'), ('SIGNED', 'WITHDRAWN'))
        OR (NEW.status <> 'SIGNED' AND (NEW.signed_by, NEW.signed_at)
            IS DISTINCT FROM (OLD.signed_by, OLD.signed_at))
        OR (NEW.status <> 'WITHDRAWN' AND (NEW.withdrawn_by, NEW.reason) <> ('', ''))
    THEN
        RAISE EXCEPTION 'sign-off % is % and cannot become %', OLD.public_id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_signoff_frozen';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reconciliation_signoff_frozen BEFORE INSERT OR UPDATE OR DELETE
ON reconciliation_signoff FOR EACH ROW EXECUTE FUNCTION reconciliation_freeze_sign_off();
