-- Which merchant of ours a report means: it says our code, alone or after the reporter's prefix.
CREATE TEMPORARY TABLE naming ON COMMIT DROP AS
SELECT DISTINCT ON (said) said, code
FROM (
    SELECT DISTINCT line.merchant AS said
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s AND line.kind IN ('charge', 'refund')
) AS saying
JOIN payments_merchant ON code = said OR said LIKE '%%\_' || code
ORDER BY said, length(code) DESC
