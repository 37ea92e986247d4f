-- Put everything that is due into one closed batch per merchant and currency, with its lines.
-- A merchant whose period is closed already keeps it as it is: what is still due joins the next one.
WITH due AS MATERIALIZED (
    SELECT merchant_id, currency, id AS payment_id, NULL::bigint AS refund_id,
           NULL::bigint AS dispute_id, amount_captured AS gross, fee, effective_at
    FROM payments_payment AS payment
    WHERE status = 'SUCCEEDED' AND NOT is_settled_elsewhere AND settlement_currency = currency
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE payment_id = payment.id)
    UNION ALL
    SELECT merchant_id, currency, NULL, id, NULL, -amount, 0, effective_at
    FROM payments_refund AS refund
    WHERE status = 'SUCCEEDED' AND settlement_currency = currency
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE refund_id = refund.id)
    UNION ALL
    SELECT merchant_id, currency, NULL, NULL, id, CASE status WHEN 'WON' THEN 0 ELSE -amount END,
           fee, effective_at
    FROM payments_dispute AS dispute
    WHERE NOT EXISTS (SELECT FROM settlements_settlement WHERE dispute_id = dispute.id)
),
in_period AS MATERIALIZED (
    SELECT due.* FROM due JOIN payments_merchant AS merchant ON merchant.id = due.merchant_id
    WHERE effective_at < (%(period)s::date + 1)::timestamp AT TIME ZONE merchant.time_zone
),
total AS (
    SELECT merchant_id, currency, count(*) AS line_count, sum(gross) AS gross, sum(fee) AS fee
    FROM in_period AS line
    WHERE NOT EXISTS (
        SELECT FROM settlements_settlementbatch AS later
        WHERE later.merchant_id = line.merchant_id AND later.currency = line.currency
            AND later.period > %(period)s
    )
    GROUP BY merchant_id, currency
),
batch AS (
    INSERT INTO settlements_settlementbatch (
        public_id, merchant_id, currency, period, status,
        line_count, gross, fee, net, carried_in, payout_amount
    )
    SELECT 'sb_' || replace(uuidv7()::text, '-', ''), total.merchant_id, total.currency,
           %(period)s, 'CLOSED', line_count, gross, fee, gross - fee, carried.amount,
           greatest(gross - fee + carried.amount, 0)
    FROM total CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT net + carried_in - payout_amount
            FROM settlements_settlementbatch AS earlier
            WHERE earlier.merchant_id = total.merchant_id AND earlier.currency = total.currency
            ORDER BY period DESC LIMIT 1
        ), 0) AS amount
    ) AS carried
    ORDER BY total.merchant_id, total.currency
    ON CONFLICT (merchant_id, currency, period) DO NOTHING
    RETURNING id, merchant_id, currency
),
line AS (
    INSERT INTO settlements_settlement (batch_id, payment_id, refund_id, dispute_id, gross, fee, net)
    SELECT batch.id, payment_id, refund_id, dispute_id, gross, fee, gross - fee
    FROM in_period JOIN batch USING (merchant_id, currency)
)
SELECT id FROM batch ORDER BY id
