-- How many lines of each statement of a file were brought by earlier files.
SELECT statement_no, source_account_id, count(*) AS known
FROM reconciliation_stagedline AS staged
WHERE file_id = %(file_id)s
    AND NOT EXISTS (
        SELECT FROM reconciliation_statementline AS line
        WHERE line.source_account_id = staged.source_account_id
            AND line.identity = staged.identity
            AND line.file_id = staged.file_id AND line.line_no = staged.line_no
    )
GROUP BY statement_no, source_account_id
