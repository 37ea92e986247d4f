-- The lines of one processor's report that may belong to a payment or refund and are not matched yet,
-- each with the merchant of ours that it names: by our code, alone or after the reporter's prefix.
CREATE TEMPORARY TABLE open_line ON COMMIT DROP AS
WITH line AS (
    SELECT line.*, account.currency AS account_currency
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s
        AND line.kind IN ('charge', 'refund')
        AND line.booked_on <= %(as_of)s
        AND NOT EXISTS (SELECT FROM reconciliation_matchline AS part WHERE part.line_id = line.id)
),
named AS (
    SELECT DISTINCT ON (said) said, code
    FROM (SELECT DISTINCT merchant AS said FROM line) AS saying
    JOIN payments_merchant ON code = said OR said LIKE '%%\_' || code
    ORDER BY said, length(code) DESC
)
SELECT line.id AS line_id, line.kind AS line_kind, line.reference, named.code AS merchant,
       line.booked_on, line.value_on, line.file_id, line.line_no,
       coalesce(line.presentment_amount, line.gross) AS amount,
       coalesce(nullif(line.presentment_currency, ''), line.account_currency) AS currency
FROM line LEFT JOIN named ON named.said = line.merchant;
ANALYZE open_line
