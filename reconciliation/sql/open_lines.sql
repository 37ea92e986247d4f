-- The lines of one processor's report that may belong to a payment or refund and are not matched yet,
-- each with the merchant of ours that it names: by our code, alone or after the reporter's prefix; and
-- with the place of its file among all, by name and content: whichever came first, the result is one.
CREATE TEMPORARY TABLE open_line ON COMMIT DROP AS
WITH line AS MATERIALIZED (
    SELECT line.id, line.kind, line.reference, line.merchant, line.booked_on, line.value_on,
           line.file_id, line.line_no, line.gross, line.fee, line.net, line.presentment_amount,
           line.presentment_currency, account.currency AS account_currency
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s
        AND line.kind IN ('charge', 'refund')
        AND line.booked_on <= %(as_of)s
        AND NOT EXISTS (SELECT FROM reconciliation_match AS part WHERE part.line_id = line.id)
),
file AS (
    SELECT id, row_number() OVER (ORDER BY name, sha256) AS no
    FROM reconciliation_statementfile WHERE source_id = %(source_id)s
),
named AS (
    SELECT DISTINCT ON (said) said, code
    FROM (SELECT DISTINCT merchant AS said FROM line) AS saying
    JOIN payments_merchant ON code = said OR said LIKE '%%\_' || code
    ORDER BY said, length(code) DESC
)
SELECT line.id AS line_id, line.kind AS line_kind, line.reference, line.merchant AS said,
       named.code AS merchant, line.booked_on, line.value_on, file.no AS file_no, line.line_no,
       line.gross, line.fee, line.net, line.presentment_amount, line.presentment_currency,
       line.account_currency,
       coalesce(line.presentment_amount, line.gross) AS amount,
       coalesce(nullif(line.presentment_currency, ''), line.account_currency) AS currency
FROM line
JOIN file ON file.id = line.file_id
LEFT JOIN named ON named.said = line.merchant;
ANALYZE open_line (line_id, line_kind, reference, said, merchant)
