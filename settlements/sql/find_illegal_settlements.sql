-- Lines of batches that are settled twice or not as they are; batches that are not their lines;
-- batches and payouts that are not booked once as they are; payments that no run will look at.
WITH line AS (
    SELECT settlement.batch_id, settlement.gross, settlement.fee,
           coalesce(payment.public_id, refund.public_id, dispute.public_id, adjustment.public_id,
                    payout.public_id, 'reserve hold ' || hold.id) AS subject,
           coalesce(payment.merchant_id, refund.merchant_id, dispute.merchant_id, hold.merchant_id,
                    adjustment.merchant_id, payout.merchant_id) AS merchant_id,
           coalesce(payment.settlement_currency, refund.settlement_currency,
                    disputed.settlement_currency, hold.currency, adjustment.currency,
                    payout.currency) AS currency,
           coalesce(payment.currency, refund.currency, dispute.currency, hold.currency,
                    adjustment.currency, payout.currency) AS paid_currency,
           coalesce(payment.status, refund.status, 'SUCCEEDED') = 'SUCCEEDED'
               AND NOT coalesce(payment.is_settled_elsewhere, false)
               AND (settlement.won_dispute_id IS NULL OR dispute.status = 'WON')
               AND coalesce(adjustment.status, 'POSTED') = 'POSTED'
               AND coalesce(payout.status, 'CANCELED') = 'CANCELED' AS has_money,
           CASE WHEN settlement.dispute_id IS NOT NULL THEN -dispute.amount
                WHEN settlement.reserve_held_id IS NOT NULL THEN -hold.amount
                ELSE coalesce(payment.amount_captured, -refund.amount, dispute.amount, hold.amount,
                              adjustment.amount, payout.amount) END AS amount,
           CASE WHEN settlement.dispute_id IS NOT NULL THEN dispute.fee
                ELSE coalesce(payment.fee, -refund.fee_returned, 0) END AS fee_of_it,
           count(*) OVER (
               PARTITION BY settlement.payment_id, settlement.refund_id, settlement.dispute_id,
                            settlement.won_dispute_id, settlement.reserve_held_id,
                            settlement.reserve_released_id, settlement.adjustment_id,
                            settlement.canceled_payout_id
           ) AS times
    FROM settlements_settlement AS settlement
    LEFT JOIN payments_payment AS payment ON payment.id = settlement.payment_id
    LEFT JOIN payments_refund AS refund ON refund.id = settlement.refund_id
    LEFT JOIN payments_dispute AS dispute
        ON dispute.id = coalesce(settlement.dispute_id, settlement.won_dispute_id)
    LEFT JOIN payments_payment AS disputed ON disputed.id = dispute.payment_id
    LEFT JOIN settlements_reservehold AS hold
        ON hold.id = coalesce(settlement.reserve_held_id, settlement.reserve_released_id)
    LEFT JOIN settlements_adjustment AS adjustment ON adjustment.id = settlement.adjustment_id
    LEFT JOIN settlements_payout AS payout ON payout.id = settlement.canceled_payout_id
),
total AS (
    SELECT batch_id, count(*) AS line_count, sum(gross) AS gross, sum(fee) AS fee
    FROM settlements_settlement GROUP BY batch_id
),
owed AS (
    SELECT 'settlement' AS kind, public_id AS subject, 1 AS times, payout_amount::numeric AS amount
    FROM settlements_settlementbatch WHERE payout_amount > 0
    UNION ALL
    SELECT 'payout_sent', public_id, 1, amount FROM settlements_payout WHERE sent_at IS NOT NULL
    UNION ALL
    SELECT 'payout_canceled', public_id, 1, amount FROM settlements_payout WHERE status = 'CANCELED'
    UNION ALL
    SELECT 'adjustment', public_id, 1, abs(amount) FROM settlements_adjustment
    WHERE status = 'POSTED'
    UNION ALL
    SELECT CASE WHEN line.reserve_held_id IS NULL THEN 'reserve_released' ELSE 'reserve_held' END,
           batch.public_id, count(*), sum(abs(line.gross))
    FROM settlements_settlement AS line
    JOIN settlements_settlementbatch AS batch ON batch.id = line.batch_id
    WHERE line.reserve_held_id IS NOT NULL OR line.reserve_released_id IS NOT NULL
    GROUP BY 1, batch.public_id
),
booked AS (
    SELECT entry.kind, entry.reference AS subject, count(*) AS times, sum(posting.amount) AS amount
    FROM ledger_journalentry AS entry
    JOIN ledger_posting AS posting ON posting.entry_id = entry.id AND posting.direction = 'debit'
    WHERE entry.kind IN ('settlement', 'payout_sent', 'payout_canceled', 'adjustment',
                         'reserve_held', 'reserve_released')
    GROUP BY entry.kind, entry.reference
)
SELECT line.subject,
       CASE WHEN line.times > 1 THEN 'it is settled ' || line.times || ' times'
            ELSE 'it is not what batch ' || batch.public_id || ' settles' END AS problem
FROM line JOIN settlements_settlementbatch AS batch ON batch.id = line.batch_id
WHERE line.times > 1 OR NOT line.has_money
    OR (line.merchant_id, line.currency) <> (batch.merchant_id, batch.currency)
    -- What was converted is in the batch's currency: of it, the ledger knows the amount.
    OR line.paid_currency = line.currency
        AND (line.gross, line.fee) <> (line.amount, line.fee_of_it)
UNION ALL
SELECT payment.public_id, 'it is in no batch, and no run looks at it'
FROM payments_payment AS payment
JOIN settlements_settlementhorizon AS horizon ON payment.id <= horizon.through
WHERE payment.status NOT IN ('FAILED', 'CANCELED', 'EXPIRED') AND NOT payment.is_settled_elsewhere
    AND NOT EXISTS (SELECT FROM settlements_settlement WHERE payment_id = payment.id)
UNION ALL
SELECT batch.public_id, 'its lines are ' || coalesce(total.line_count, 0) || ' of '
    || coalesce(total.gross, 0) || ' less ' || coalesce(total.fee, 0) || ', not '
    || batch.line_count || ' of ' || batch.gross || ' less ' || batch.fee
FROM settlements_settlementbatch AS batch LEFT JOIN total ON total.batch_id = batch.id
WHERE (batch.line_count, batch.gross, batch.fee) IS DISTINCT FROM (
    coalesce(total.line_count, 0), coalesce(total.gross, 0), coalesce(total.fee, 0)
)
UNION ALL
SELECT subject, coalesce('it owes ' || owed.amount, 'it owes nothing') || ', booked ('
    || kind || ') is ' || coalesce(booked.amount || ' in ' || booked.times, 'nothing')
FROM owed FULL JOIN booked USING (kind, subject)
WHERE (owed.amount, owed.times) IS DISTINCT FROM (booked.amount, booked.times)
ORDER BY subject LIMIT 20
