-- What discrepancies point at is proved in one pass per statement as well: of a million payments that
-- are not due yet, each is one. Without LIMIT a pass is planned for all the rows there are, not for the
-- first. The keys stay declared, for readers and tools.
ALTER TABLE reconciliation_discrepancy
    ADD CONSTRAINT reconciliation_discrepancy_source_fk
        FOREIGN KEY (source_id) REFERENCES reconciliation_source (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_payment_fk
        FOREIGN KEY (payment_id) REFERENCES payments_payment (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_refund_fk
        FOREIGN KEY (refund_id) REFERENCES payments_refund (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_line_fk
        FOREIGN KEY (line_id) REFERENCES reconciliation_statementline (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_opened_by_fk
        FOREIGN KEY (opened_by_id) REFERENCES reconciliation_reconciliationrun (id) NOT ENFORCED,
    ADD CONSTRAINT reconciliation_discrepancy_resolved_by_fk
        FOREIGN KEY (resolved_by_id) REFERENCES reconciliation_reconciliationrun (id) NOT ENFORCED;

CREATE FUNCTION reconciliation_check_findings() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE 'SELECT min(finding.id)
        FROM new_finding AS finding
        LEFT JOIN reconciliation_source AS source ON source.id = finding.source_id
        LEFT JOIN payments_payment AS payment ON payment.id = finding.payment_id
        LEFT JOIN payments_refund AS refund ON refund.id = finding.refund_id
        LEFT JOIN reconciliation_statementline AS line ON line.id = finding.line_id
        LEFT JOIN reconciliation_reconciliationrun AS opened ON opened.id = finding.opened_by_id
        LEFT JOIN reconciliation_reconciliationrun AS resolved
            ON resolved.id = finding.resolved_by_id
        WHERE source.id IS NULL OR opened.id IS NULL
            OR finding.payment_id IS NOT NULL AND payment.id IS NULL
            OR finding.refund_id IS NOT NULL AND refund.id IS NULL
            OR finding.line_id IS NOT NULL AND line.id IS NULL
            OR finding.resolved_by_id IS NOT NULL AND resolved.id IS NULL' INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'discrepancy % is about nothing there is', wrong
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'reconciliation_discrepancy_about_something';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_discrepancy_about_something AFTER INSERT ON reconciliation_discrepancy
REFERENCING NEW TABLE AS new_finding
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_findings();
CREATE TRIGGER reconciliation_discrepancy_still_about_something
AFTER UPDATE ON reconciliation_discrepancy REFERENCING NEW TABLE AS new_finding
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_findings();
