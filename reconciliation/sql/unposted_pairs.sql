-- Of some matches those that post entries of their own: of disputes, and where the processor converted.
-- OFFSET 0 keeps each look-up one by index: a pass over a whole table per chunk would take hours for a
-- million.
WITH of_its_own AS MATERIALIZED (
    SELECT id, kind, line_id, payment_id, refund_id,
           coalesce(dispute_id, won_dispute_id) AS dispute_id
    FROM reconciliation_match
    WHERE run_id = %(run_id)s::bigint AND id > %(after)s::bigint AND id <= %(through)s::bigint
        AND (is_converted OR kind IN ('dispute', 'won_dispute'))
)
SELECT line.id AS line_id, line.booked_on, line.gross,
       account.currency AS line_currency, gateway.code AS gateway, match.kind,
       coalesce(payment.public_id, refund.public_id, dispute.public_id) AS subject,
       coalesce(payment.currency, refund.currency, dispute.currency) AS currency,
       coalesce(payment.amount_captured, -refund.amount,
                CASE match.kind WHEN 'won_dispute' THEN dispute.amount ELSE -dispute.amount END)
           AS amount,
       coalesce(payment.merchant_id, refund.merchant_id, dispute.merchant_id) AS merchant_id,
       dispute.id AS dispute_id, source.zone,
       (SELECT count(*) FROM reconciliation_undonematch WHERE line_id = line.id) AS undone_count,
       line.presentment_amount, line.presentment_currency,
       rate.rate AS reference_rate
FROM of_its_own AS match
CROSS JOIN LATERAL (
    SELECT * FROM reconciliation_statementline WHERE id = match.line_id OFFSET 0
) AS line
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
JOIN reconciliation_source AS source ON source.id = account.source_id
JOIN payments_gateway AS gateway ON gateway.id = source.gateway_id
LEFT JOIN LATERAL (
    SELECT * FROM payments_payment WHERE id = match.payment_id OFFSET 0
) AS payment ON true
LEFT JOIN LATERAL (
    SELECT * FROM payments_refund WHERE id = match.refund_id OFFSET 0
) AS refund ON true
LEFT JOIN payments_dispute AS dispute ON dispute.id = match.dispute_id
LEFT JOIN LATERAL (
    SELECT CASE base WHEN pair.sold THEN fx.rate ELSE 1 / fx.rate END AS rate
    FROM (SELECT coalesce(payment.currency, refund.currency, dispute.currency) AS sold) AS pair,
         reconciliation_fxrate AS fx
    WHERE pair.sold <> account.currency
        AND (base, quote) IN ((pair.sold, account.currency), (account.currency, pair.sold))
    ORDER BY date > line.booked_on, abs(date - line.booked_on), base = pair.sold DESC LIMIT 1
) AS rate ON true
ORDER BY match.id
