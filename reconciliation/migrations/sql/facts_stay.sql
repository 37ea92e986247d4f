-- The bytes that arrived are kept as they arrived, and what was set, or posted for, stays as it was.
CREATE FUNCTION reconciliation_refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is kept as it arrived: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'reconciliation_bytes_never_change';
END $$;
CREATE TRIGGER reconciliation_bytes_never_change BEFORE UPDATE OR DELETE
ON reconciliation_statementfilechunk
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();

-- What was set stays as it was set.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE
ON reconciliation_matchingtolerance FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE
ON reconciliation_sourceversion FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Which matches an entry stands for is as lasting as the entry.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE
ON reconciliation_feegroup FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
