-- Say how the lines stand in the file that were read and could not be kept.
UPDATE reconciliation_stagedrejection AS staged SET raw = line.raw
FROM unnest(%(line_nos)s::int[], %(raws)s::text[]) AS line (line_no, raw)
WHERE staged.file_id = %(file_id)s AND staged.line_no = line.line_no
