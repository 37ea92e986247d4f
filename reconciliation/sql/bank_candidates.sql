-- Bank lines without a match, each with the processor payouts and our payouts whose id it carries, and our
-- payouts on their way whose file's id it carries: some banks book a file as one.
-- Banks change case and punctuation and break texts anywhere, so letters and digits are compared.
-- Not the payouts that people took it apart from.
WITH open_line AS (
    SELECT line.id, account.currency, line.reference, line.text, line."references"
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s AND line.kind = 'entry' AND line.booked_on <= %(as_of)s
        AND NOT EXISTS (SELECT FROM reconciliation_match AS part WHERE part.line_id = line.id)
        AND NOT EXISTS (
            SELECT FROM reconciliation_discrepancy AS finding
            WHERE finding.line_id = line.id AND finding.type = 'payout_returned'
        )
),
payout AS MATERIALIZED (
    SELECT id, 'deposit' AS said, currency,
           regexp_replace(upper(external_id), '[^A-Z0-9]', '', 'g') AS name
    FROM reconciliation_processorpayout
    UNION ALL
    SELECT id, 'payout', currency, regexp_replace(upper(public_id), '[^A-Z0-9]', '', 'g')
    FROM settlements_payout
    UNION ALL
    SELECT payout.id, 'file', payout.currency,
           regexp_replace(upper(file.public_id), '[^A-Z0-9]', '', 'g')
    FROM settlements_payoutattempt AS attempt
    JOIN settlements_payoutfile AS file ON file.id = attempt.file_id
    JOIN settlements_payout AS payout ON payout.id = attempt.payout_id
    WHERE attempt.is_live AND payout.status = 'SENT'
),
word AS (
    SELECT DISTINCT open_line.id, open_line.currency,
           regexp_replace(upper(said.word), '[^A-Z0-9]', '', 'g') AS word
    FROM open_line
    CROSS JOIN LATERAL (
        SELECT unnest(array_append("references", reference))
        UNION SELECT regexp_split_to_table(text || ' ' || reference, '[^A-Za-z0-9_-]+')
    ) AS said (word)
    WHERE length(said.word) >= 6
),
named AS (
    SELECT DISTINCT word.id AS line_id, payout.said, payout.id AS payout_id
    FROM word
    JOIN payout ON payout.name = word.word AND payout.currency = word.currency
),
broken AS (
    -- Its id may be broken in two by the end of a line, or be glued to what stands beside it.
    SELECT open_line.id AS line_id, payout.said, payout.id AS payout_id
    FROM open_line
    CROSS JOIN LATERAL (
        SELECT regexp_replace(upper(text || reference), '[^A-Z0-9]', '', 'g') AS said
    ) AS whole
    JOIN payout ON payout.currency = open_line.currency AND length(payout.name) >= 12
        AND strpos(whole.said, payout.name) > 0
    WHERE NOT EXISTS (SELECT FROM named WHERE named.line_id = open_line.id AND named.said <> 'file')
),
found AS (
    SELECT * FROM (SELECT * FROM named UNION ALL SELECT * FROM broken) AS either
    WHERE NOT EXISTS (
        SELECT FROM reconciliation_undonematch AS undone
        WHERE undone.line_id = either.line_id AND undone.subject_id = either.payout_id
            AND undone.kind = CASE either.said WHEN 'deposit' THEN 'deposit' ELSE 'payout' END
    )
)
SELECT open_line.id AS line_id,
       coalesce(
           array_agg(found.payout_id ORDER BY found.payout_id) FILTER (WHERE found.said = 'deposit'),
           '{}'
       ) AS processor_payout_ids,
       coalesce(
           array_agg(found.payout_id ORDER BY found.payout_id)
               FILTER (WHERE found.said = 'payout'),
           '{}'
       ) AS payout_ids,
       coalesce(
           array_agg(found.payout_id ORDER BY found.payout_id) FILTER (WHERE found.said = 'file'),
           '{}'
       ) AS payout_ids_of_file
FROM open_line
LEFT JOIN found ON found.line_id = open_line.id
GROUP BY open_line.id
ORDER BY open_line.id
