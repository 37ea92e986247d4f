-- Lines of batches that are settled twice or not as they are; batches that are not their lines;
-- batches and payouts that are not booked once as they are.
WITH line AS (
    SELECT settlement.batch_id, settlement.gross, settlement.fee,
           coalesce(payment.public_id, refund.public_id, dispute.public_id) AS subject,
           coalesce(payment.merchant_id, refund.merchant_id, dispute.merchant_id) AS merchant_id,
           coalesce(payment.currency, refund.currency, dispute.currency) AS currency,
           coalesce(payment.status, refund.status, 'SUCCEEDED') = 'SUCCEEDED'
               AND NOT coalesce(payment.is_settled_elsewhere, false) AS has_money,
           -- What a dispute comes to depends on when it was settled.
           coalesce(payment.amount_captured, -refund.amount, settlement.gross) AS amount,
           count(*) OVER (PARTITION BY settlement.payment_id, settlement.refund_id,
                          settlement.dispute_id) AS times
    FROM settlements_settlement AS settlement
    LEFT JOIN payments_payment AS payment ON payment.id = settlement.payment_id
    LEFT JOIN payments_refund AS refund ON refund.id = settlement.refund_id
    LEFT JOIN payments_dispute AS dispute ON dispute.id = settlement.dispute_id
),
total AS (
    SELECT batch_id, count(*) AS line_count, sum(gross) AS gross, sum(fee) AS fee
    FROM settlements_settlement GROUP BY batch_id
),
owed AS (
    SELECT 'settlement' AS kind, public_id AS subject, payout_amount AS amount
    FROM settlements_settlementbatch WHERE payout_amount > 0
    UNION ALL
    SELECT 'payout_sent', public_id, amount FROM settlements_payout WHERE sent_at IS NOT NULL
),
booked AS (
    SELECT entry.kind, entry.reference AS subject, count(*) AS times, sum(posting.amount) AS amount
    FROM ledger_journalentry AS entry
    JOIN ledger_posting AS posting ON posting.entry_id = entry.id AND posting.direction = 'debit'
    WHERE entry.kind IN ('settlement', 'payout_sent')
    GROUP BY entry.kind, entry.reference
)
SELECT line.subject,
       CASE WHEN line.times > 1 THEN 'it is settled ' || line.times || ' times'
            ELSE 'it is not what batch ' || batch.public_id || ' settles' END AS problem
FROM line JOIN settlements_settlementbatch AS batch ON batch.id = line.batch_id
WHERE line.times > 1 OR NOT line.has_money OR line.gross <> line.amount
    OR (line.merchant_id, line.currency) <> (batch.merchant_id, batch.currency)
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
WHERE (owed.amount, 1) IS DISTINCT FROM (booked.amount, booked.times)
ORDER BY subject LIMIT 20
