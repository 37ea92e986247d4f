-- Keep the staged lines that no earlier file brought. The same line twice in one file is two lines:
-- the occurrence number tells them apart, and across files the larger count wins.
INSERT INTO reconciliation_statementline (
    file_id, source_account_id, line_no, kind, identity, occurrence, external_id, booked_on, value_on,
    gross, fee, net, presentment_amount, presentment_currency, reference, parent_reference,
    payout_id, merchant, counterparty, text, "references"
)
SELECT %(file_id)s, source_account_id, line_no, kind, identity,
       row_number() OVER (PARTITION BY source_account_id, identity ORDER BY line_no),
       external_id, booked_on, value_on, gross, fee, net, presentment_amount, presentment_currency,
       reference, parent_reference, payout_id, merchant, counterparty, text, references_
FROM staged_line
ORDER BY line_no
ON CONFLICT (source_account_id, identity, occurrence) DO NOTHING
