UPDATE reconciliation_source SET
    fx_tolerance_basis_points = latest.fx_tolerance_basis_points,
    deposit_days = latest.deposit_days
FROM (
    SELECT DISTINCT ON (source_id) source_id, fx_tolerance_basis_points, deposit_days
    FROM reconciliation_matchingtolerance
    WHERE valid_from <= current_date
    ORDER BY source_id, valid_from DESC, id DESC
) AS latest
WHERE latest.source_id = reconciliation_source.id;
DROP TRIGGER ledger_append_only ON reconciliation_sourceversion;
DROP TRIGGER ledger_append_only ON reconciliation_matchingtolerance;
SET CONSTRAINTS ALL IMMEDIATE;
