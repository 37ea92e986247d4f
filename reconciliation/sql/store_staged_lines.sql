-- Keep the staged lines that no earlier file brought. The same line twice in one file is two lines:
-- the occurrence number tells them apart, and across files the larger count wins. A line that was
-- corrected counts as the last of its kind, so that those loaded before keep their numbers. Where no
-- line is in the file twice, the planner drops what would number them, and the sorting for it.
INSERT INTO reconciliation_statementline (
    file_id, source_account_id, line_no, kind, identity, occurrence, external_id, booked_on, value_on,
    gross, fee, net, presentment_amount, presentment_currency, reference, parent_reference,
    payout_id, merchant, counterparty, text, "references", corrected_at
)
SELECT file_id, source_account_id, line_no, kind, identity,
       CASE WHEN %(has_repetitions)s THEN row_number() OVER (
           PARTITION BY source_account_id, identity
           ORDER BY line_no = ANY (%(corrected)s::int[]), position
       ) ELSE 1 END,
       external_id, booked_on, value_on, gross, fee, net, presentment_amount, presentment_currency,
       reference, parent_reference, payout_id, merchant, counterparty, text, "references",
       %(corrected_at)s::timestamptz
FROM reconciliation_stagedline
WHERE file_id = %(file_id)s AND NOT statement_no = ANY (%(repeated)s::int[])
ORDER BY position
ON CONFLICT (source_account_id, identity, occurrence) DO NOTHING
