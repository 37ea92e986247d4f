-- The lines of one processor's report that may belong to a payment or refund and are not matched yet.
CREATE TEMPORARY TABLE open_line ON COMMIT DROP AS
SELECT line.id AS line_id, line.kind AS line_kind, line.reference, line.merchant, line.booked_on,
       line.value_on, line.file_id, line.line_no,
       coalesce(line.presentment_amount, line.gross) AS amount,
       coalesce(nullif(line.presentment_currency, ''), account.currency) AS currency
FROM reconciliation_statementline AS line
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
WHERE account.source_id = %(source_id)s
    AND line.kind IN ('charge', 'refund')
    AND line.booked_on <= %(as_of)s
    AND NOT EXISTS (SELECT FROM reconciliation_matchline AS part WHERE part.line_id = line.id);
ANALYZE open_line
