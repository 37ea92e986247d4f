-- Keep the first so many staged lines that could not be read.
INSERT INTO reconciliation_rejectedline (
    file_id, line_no, code, reason, raw, correction, resolution, resolved_by, resolution_reason
)
SELECT file_id, line_no, code, reason, raw, '',
       CASE WHEN code = %(not_booked)s::text THEN 'NOT_BOOKED' ELSE '' END, '', ''
FROM reconciliation_stagedrejection
WHERE file_id = %(file_id)s
ORDER BY position
LIMIT %(limit)s
