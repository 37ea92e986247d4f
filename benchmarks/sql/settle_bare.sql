-- The limit of a settlement run: one batch per merchant and currency and one line per payment, into
-- tables with the same columns and indexes and no trigger, check or foreign key; nothing is carried.
WITH due AS MATERIALIZED (
    SELECT merchant_id, currency, id AS payment_id, amount_captured AS gross, fee
    FROM payments_payment AS payment
    WHERE status = 'SUCCEEDED' AND NOT is_settled_elsewhere AND effective_at < now()
        AND NOT EXISTS (SELECT FROM bare_line WHERE bare_line.payment_id = payment.id)
),
batch AS (
    INSERT INTO bare_batch (
        id, public_id, merchant_id, currency, period, status, line_count, gross, fee, net, carried_in,
        payout_amount, created_at
    )
    SELECT row_number() OVER (), gen_random_uuid(), merchant_id, currency, current_date, 'CLOSED',
        count(*), sum(gross), sum(fee), sum(gross - fee), 0, sum(gross - fee), now()
    FROM due GROUP BY merchant_id, currency
    RETURNING id, merchant_id, currency
)
INSERT INTO bare_line (id, batch_id, payment_id, gross, fee, net)
SELECT row_number() OVER (), batch.id, payment_id, gross, fee, gross - fee
FROM due JOIN batch USING (merchant_id, currency)
