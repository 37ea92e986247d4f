-- Empty a file's part of the staging tables.
WITH rejections AS (
    DELETE FROM reconciliation_stagedrejection WHERE file_id = %(file_id)s
)
DELETE FROM reconciliation_stagedline WHERE file_id = %(file_id)s
