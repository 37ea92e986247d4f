DROP TABLE reconciliation_stagedline, reconciliation_stagedrejection;
DROP TRIGGER reconciliation_bytes_never_change ON reconciliation_statementfilechunk;
DROP FUNCTION reconciliation_refuse_change();
UPDATE reconciliation_statementfile AS file SET content = (
    SELECT coalesce(string_agg(content, ''::bytea ORDER BY number), '')
    FROM reconciliation_statementfilechunk AS chunk WHERE chunk.file_id = file.id
)
