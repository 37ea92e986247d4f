-- The lines that have no item which is alike, each with the merchant of ours that it names, and with the
-- place of its file among all, by name and content: whichever came first, the result is one.
INSERT INTO open_line
WITH file AS (
    SELECT id, row_number() OVER (ORDER BY name, sha256) AS no
    FROM reconciliation_statementfile WHERE source_id = %(source_id)s
)
SELECT line.id AS line_id, line.kind AS line_kind, line.reference, line.merchant AS said,
       naming.code AS merchant, line.booked_on, line.value_on, file.no AS file_no, line.line_no,
       line.gross, line.fee, line.net, line.presentment_amount, line.presentment_currency,
       account.currency AS account_currency,
       coalesce(line.presentment_amount, line.gross) AS amount,
       coalesce(nullif(line.presentment_currency, ''), account.currency) AS currency
FROM (
    SELECT DISTINCT line_id FROM line_and_item AS pair
    WHERE NOT is_alike
        AND NOT EXISTS (SELECT FROM open_line WHERE open_line.line_id = pair.line_id)
) AS pair
JOIN reconciliation_statementline AS line ON line.id = pair.line_id
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
JOIN file ON file.id = line.file_id
LEFT JOIN naming ON naming.said = line.merchant;
ANALYZE open_line
