-- Bank lines without a match, each with the processor payouts and our payouts whose id it carries.
WITH open_line AS (
    SELECT line.id, account.currency, line.reference, line.text, line."references"
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s AND line.kind = 'entry' AND line.booked_on <= %(as_of)s
        AND NOT EXISTS (SELECT FROM reconciliation_matchline AS part WHERE part.line_id = line.id)
),
word AS (
    SELECT DISTINCT open_line.id, open_line.currency, upper(said.word) AS word
    FROM open_line
    CROSS JOIN LATERAL (
        SELECT unnest(array_append("references", reference))
        UNION SELECT regexp_split_to_table(text || ' ' || reference, '[^A-Za-z0-9_-]+')
    ) AS said (word)
    WHERE length(said.word) >= 6
)
SELECT open_line.id AS line_id,
       array_remove(array_agg(DISTINCT arriving.id), NULL) AS processor_payout_ids,
       array_remove(array_agg(DISTINCT leaving.id), NULL) AS payout_ids
FROM open_line
LEFT JOIN word ON word.id = open_line.id
LEFT JOIN reconciliation_processorpayout AS arriving
    ON upper(arriving.external_id) = word.word AND arriving.currency = word.currency
LEFT JOIN settlements_payout AS leaving
    ON upper(leaving.public_id) = word.word AND leaving.currency = word.currency
GROUP BY open_line.id
ORDER BY open_line.id
