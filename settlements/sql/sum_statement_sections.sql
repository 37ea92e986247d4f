-- What one batch is made of: lines, gross and fee by what they are about, minor units.
SELECT
    CASE
        WHEN payment_id IS NOT NULL THEN 'payment'
        WHEN refund_id IS NOT NULL THEN 'refund'
        WHEN dispute_id IS NOT NULL THEN 'dispute'
        WHEN won_dispute_id IS NOT NULL THEN 'won_dispute'
        WHEN reserve_held_id IS NOT NULL THEN 'reserve_held'
        WHEN reserve_released_id IS NOT NULL THEN 'reserve_released'
        WHEN adjustment_id IS NOT NULL THEN 'adjustment'
        WHEN canceled_payout_id IS NOT NULL THEN 'canceled_payout'
    END AS kind,
    count(*) AS lines,
    sum(gross)::bigint AS gross,
    sum(fee)::bigint AS fee
FROM settlements_settlement
WHERE batch_id = %(batch_id)s::bigint
GROUP BY 1
