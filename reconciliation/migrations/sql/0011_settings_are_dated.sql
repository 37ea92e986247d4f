-- What was set stays as it was set.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE
ON reconciliation_matchingtolerance FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE
ON reconciliation_sourceversion FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

INSERT INTO reconciliation_matchingtolerance
    (source_id, valid_from, fx_tolerance_basis_points, deposit_days, set_by, reason)
SELECT id, '0001-01-01', fx_tolerance_basis_points, deposit_days, 'system:migration', ''
FROM reconciliation_source;

INSERT INTO reconciliation_sourceversion (source_id, number, terms, set_by, reason)
SELECT
    source.id,
    1,
    jsonb_build_object(
        'kind', source.kind, 'formats', source.formats, 'zone', source.zone,
        'gateway', gateway.code, 'counterparties', source.counterparties,
        'options', source.options, 'on_bad_line', source.on_bad_line
    ),
    'system:migration',
    ''
FROM reconciliation_source AS source
LEFT JOIN payments_gateway AS gateway ON gateway.id = source.gateway_id;
-- The columns that go next cannot while rows wait for their deferred checks.
SET CONSTRAINTS ALL IMMEDIATE;
