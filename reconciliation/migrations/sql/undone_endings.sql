-- An end of a discrepancy that was taken back is kept: a report as known before that must find it.
CREATE TABLE reconciliation_undoneending (
    discrepancy_id bigint NOT NULL,
    resolved_at timestamptz NOT NULL,
    resolved_by_id bigint,
    undone_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX reconciliation_undoneending_by_discrepancy
ON reconciliation_undoneending (discrepancy_id);

CREATE FUNCTION reconciliation_keep_undone_ending() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO reconciliation_undoneending (discrepancy_id, resolved_at, resolved_by_id)
    VALUES (OLD.id, OLD.resolved_at, OLD.resolved_by_id);
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_undone_ending AFTER UPDATE ON reconciliation_discrepancy
FOR EACH ROW WHEN (OLD.resolved_at IS NOT NULL AND NEW.resolved_at IS DISTINCT FROM OLD.resolved_at)
EXECUTE FUNCTION reconciliation_keep_undone_ending();
