-- Lines without a match that say that a dispute took money, or gave it back, with the payments of the same
-- gateway whose reference they carry: exactly, or where that finds none, retyped or within other text. Not
-- those whose dispute people took apart from the line that had opened it.
WITH line AS (
    SELECT line.id, line.reference, line.merchant
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    WHERE account.source_id = %(source_id)s AND line.kind = %(kind)s
        AND line.booked_on <= %(as_of)s
        AND NOT EXISTS (SELECT FROM reconciliation_match AS part WHERE part.line_id = line.id)
),
exact AS (
    SELECT line.id AS line_id, payment.id AS payment_id
    FROM line JOIN payments_payment AS payment
        ON payment.gateway_id = %(gateway_id)s AND payment.reference = line.reference
            AND payment.status = 'SUCCEEDED'
),
rest AS (
    SELECT line.id, regexp_split_to_array(upper(line.reference), '[^A-Z0-9]+') AS parts
    FROM line WHERE NOT EXISTS (SELECT FROM exact WHERE exact.line_id = line.id)
),
retyped AS (
    SELECT DISTINCT rest.id AS line_id, payment.id AS payment_id
    FROM rest
    CROSS JOIN LATERAL generate_series(1, least(cardinality(parts), 40)) AS first
    CROSS JOIN LATERAL generate_series(first, least(first + 5, cardinality(parts))) AS last
    JOIN payments_payment AS payment
        ON upper(regexp_replace(payment.reference, '[^A-Za-z0-9]', '', 'g'))
            = array_to_string(parts[first:last], '')
    WHERE EXISTS (SELECT FROM rest) AND length(array_to_string(parts[first:last], '')) >= 8
        AND payment.gateway_id = %(gateway_id)s AND payment.status = 'SUCCEEDED'
),
candidate AS (
    SELECT * FROM (SELECT * FROM exact UNION ALL SELECT * FROM retyped) AS either
    WHERE NOT EXISTS (
        SELECT FROM reconciliation_undonematch AS undone
        JOIN payments_dispute AS dispute
            ON undone.kind = 'dispute' AND undone.kind = %(kind)s AND dispute.id = undone.subject_id
        WHERE undone.line_id = either.line_id AND dispute.payment_id = either.payment_id
    )
)
SELECT line.id AS line_id, payment.id AS payment_id,
       (line.merchant = merchant.code OR line.merchant LIKE '%%\_' || merchant.code) AS agrees
FROM line
LEFT JOIN candidate ON candidate.line_id = line.id
LEFT JOIN payments_payment AS payment ON payment.id = candidate.payment_id
LEFT JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
ORDER BY line.id, payment.id
