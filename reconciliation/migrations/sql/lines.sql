-- Lines of a file are of an account of its source, and stay so; proved in one pass per statement, as
-- what matches point at is (matches.sql). The keys stay declared, for readers and tools.
ALTER TABLE reconciliation_statementline
    ADD CONSTRAINT reconciliation_statementline_file_fk
        FOREIGN KEY (file_id) REFERENCES reconciliation_statementfile (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_statementline_source_account_fk
        FOREIGN KEY (source_account_id) REFERENCES reconciliation_sourceaccount (id) NOT ENFORCED;

-- EXECUTE plans for the rows there are: a plan made for one row would take an hour for a million.
CREATE FUNCTION reconciliation_check_lines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE 'SELECT line.file_id
        FROM (SELECT DISTINCT file_id, source_account_id FROM new_line) AS line
        LEFT JOIN reconciliation_statementfile AS file ON file.id = line.file_id
        LEFT JOIN reconciliation_sourceaccount AS account
            ON account.id = line.source_account_id AND account.source_id = file.source_id
        WHERE account.id IS NULL LIMIT 1' INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'lines of statement file % are of no account of its source', wrong
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_lines_have_their_file';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_lines_have_their_file AFTER INSERT ON reconciliation_statementline
REFERENCING NEW TABLE AS new_line FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_lines();
CREATE TRIGGER reconciliation_line_stays_where_it_is BEFORE UPDATE ON reconciliation_statementline
FOR EACH ROW WHEN (
    (old.id, old.file_id, old.source_account_id)
        IS DISTINCT FROM (new.id, new.file_id, new.source_account_id)
) EXECUTE FUNCTION ledger_refuse_change();
