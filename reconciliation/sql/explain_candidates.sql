-- What a line may be about, or which lines may be about a payment or refund, with what speaks for each
-- pair and against it; best first. Either the line or one item is given, so that one side is one row.
WITH line AS (
    SELECT line.id, line.kind, line.reference, line.merchant, line.value_on,
           coalesce(line.presentment_amount, line.gross) AS amount,
           coalesce(nullif(line.presentment_currency, ''), account.currency) AS currency,
           upper(regexp_replace(line.reference, '[^A-Za-z0-9]', '', 'g')) AS key
    FROM reconciliation_statementline AS line
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    JOIN reconciliation_source AS source ON source.id = account.source_id
    WHERE line.kind IN ('charge', 'refund') AND CASE
        WHEN %(line_id)s::bigint IS NULL THEN source.gateway_id = %(gateway_id)s::bigint
        ELSE line.id = %(line_id)s::bigint END
),
item AS (
    SELECT 'payment' AS kind, payment.id, 'charge' AS line_kind, payment.public_id, payment.reference,
           payment.merchant_id, coalesce(payment.amount_captured, payment.amount) AS amount,
           payment.currency, payment.settlement_due_on, payment.status,
           payment.is_settled_elsewhere
    FROM payments_payment AS payment
    WHERE payment.gateway_id = %(gateway_id)s::bigint AND %(refund_id)s::bigint IS NULL
        AND (%(payment_id)s::bigint IS NULL OR payment.id = %(payment_id)s::bigint)
    UNION ALL
    SELECT 'refund', refund.id, 'refund', refund.public_id, refund.reference, refund.merchant_id,
           -refund.amount, refund.currency, refund.settlement_due_on, refund.status, false
    FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = refund.payment_id
    WHERE payment.gateway_id = %(gateway_id)s::bigint AND %(payment_id)s::bigint IS NULL
        AND (%(refund_id)s::bigint IS NULL OR refund.id = %(refund_id)s::bigint)
),
keyed AS (
    SELECT item.*, upper(regexp_replace(reference, '[^A-Za-z0-9]', '', 'g')) AS key FROM item
),
pair AS (
    SELECT line.id AS line_id, line.kind AS line_kind, line.reference AS reported,
           line.merchant AS named, line.value_on, item.id AS item_id, item.kind AS item_kind,
           item.public_id, item.reference, item.merchant_id, item.settlement_due_on, item.status,
           item.is_settled_elsewhere, item.line_kind AS wanted_kind,
           line.amount = item.amount AND line.currency = item.currency AS is_same_amount,
           CASE
               WHEN line.reference <> '' AND line.reference = item.reference THEN 1
               WHEN line.key <> '' AND line.key = item.key THEN 2
               WHEN length(item.key) >= 8 AND strpos(line.key, item.key) > 0 THEN 3
               WHEN length(line.key) >= 10 AND starts_with(item.key, line.key) THEN 4
               WHEN line.amount = item.amount AND line.currency = item.currency THEN 5
           END AS rank
    FROM line CROSS JOIN keyed AS item
),
best AS (
    SELECT * FROM pair WHERE rank IS NOT NULL ORDER BY rank, item_id, line_id LIMIT %(limit)s
)
SELECT best.*,
       EXISTS (
           SELECT FROM reconciliation_undonematch AS undone
           WHERE undone.line_id = best.line_id AND undone.kind = best.item_kind
               AND undone.subject_id = best.item_id
       ) AS is_undone,
       (
           SELECT match.line_id FROM reconciliation_match AS match
           WHERE CASE best.item_kind WHEN 'payment' THEN match.payment_id = best.item_id
                                     ELSE match.refund_id = best.item_id END
       ) AS item_has_line,
       EXISTS (
           SELECT FROM reconciliation_match AS part WHERE part.line_id = best.line_id
       ) AS line_is_used,
       EXISTS (
           SELECT FROM payments_merchant AS other
           WHERE (other.code = named OR named LIKE '%%\_' || other.code)
       ) AND NOT EXISTS (
           SELECT FROM payments_merchant AS own
           WHERE own.id = best.merchant_id
               AND (own.code = named OR named LIKE '%%\_' || own.code)
       ) AS is_other_merchants
FROM best
ORDER BY rank, item_id, line_id
