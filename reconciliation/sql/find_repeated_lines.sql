-- Lines left over whose reference, as a whole or as a word, belongs to an item that has its line.
WITH rest AS (
    SELECT line_id, line_kind, reference, key FROM rest_line
    WHERE NOT EXISTS (SELECT FROM found WHERE found.line_id = rest_line.line_id)
        AND NOT EXISTS (SELECT FROM repeated WHERE repeated.line_id = rest_line.line_id)
),
spelling AS (
    SELECT line_id, line_kind, key FROM rest WHERE key <> ''
    UNION
    SELECT line_id, line_kind, upper(regexp_replace(word, '[^A-Za-z0-9]', '', 'g'))
    FROM rest CROSS JOIN LATERAL regexp_split_to_table(reference, '[^A-Za-z0-9_-]+') AS word
    WHERE length(word) >= 8
),
matched AS (
    SELECT 'payment' AS item_kind, payment.id AS item_id, 'charge' AS line_kind,
           upper(regexp_replace(payment.reference, '[^A-Za-z0-9]', '', 'g')) AS key
    FROM payments_payment AS payment
    WHERE EXISTS (SELECT FROM rest) AND payment.gateway_id = %(gateway_id)s AND (
        EXISTS (SELECT FROM reconciliation_match WHERE payment_id = payment.id)
        OR EXISTS (SELECT FROM found WHERE item_kind = 'payment' AND item_id = payment.id)
    )
    UNION ALL
    SELECT 'refund', refund.id, 'refund',
           upper(regexp_replace(refund.reference, '[^A-Za-z0-9]', '', 'g'))
    FROM payments_refund AS refund
    JOIN payments_payment AS payment ON payment.id = refund.payment_id
    WHERE EXISTS (SELECT FROM rest) AND payment.gateway_id = %(gateway_id)s AND (
        EXISTS (SELECT FROM reconciliation_match WHERE refund_id = refund.id)
        OR EXISTS (SELECT FROM found WHERE item_kind = 'refund' AND item_id = refund.id)
    )
)
INSERT INTO repeated (line_id, item_kind, item_id)
SELECT DISTINCT ON (line_id) line_id, item_kind, item_id
FROM spelling JOIN matched USING (line_kind, key)
ORDER BY line_id, item_id
