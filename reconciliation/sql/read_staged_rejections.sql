-- How many lines of a file cannot be read this time, and why those of these numbers cannot.
WITH staged AS (
    SELECT line_no, reason FROM reconciliation_stagedrejection WHERE file_id = %(file_id)s
)
SELECT asked.line_no, asked.reason, (SELECT count(*) FROM staged) AS total
FROM (SELECT) AS always
LEFT JOIN (SELECT * FROM staged WHERE line_no = ANY (%(line_nos)s::int[])) AS asked ON true
