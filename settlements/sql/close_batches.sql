-- Put everything that is due into one closed batch per merchant and currency, with its lines; returns
-- what there is to post about them. A merchant that has a batch of the period or of a later one in a
-- currency keeps it as it is: what is still due there joins the next one. Payments up to `looked_at` are
-- in a batch or never will be.
WITH closing AS MATERIALIZED (
    SELECT * FROM unnest(
        %(merchant_ids)s::bigint[], %(periods)s::date[], %(untils)s::timestamptz[],
        %(minimums)s::jsonb[], %(reserve_basis_points)s::int[], %(release_ons)s::date[]
    ) AS closing (merchant_id, period, until, minimums, reserve_basis_points, release_on)
),
-- What is settled in another currency than the payer's, signed as the merchant gains.
foreign_item AS (
    SELECT payment.id AS payment_id, NULL::bigint AS refund_id, NULL::bigint AS dispute_id,
           NULL::bigint AS won_dispute_id, payment.merchant_id, payment.public_id,
           settlement_currency AS currency, payment.currency AS paid_currency,
           amount_captured AS amount, fee, effective_at
    FROM payments_payment AS payment
    WHERE id > %(looked_at)s::bigint AND status = 'SUCCEEDED' AND NOT is_settled_elsewhere
        AND settlement_currency <> payment.currency
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE payment_id = payment.id)
    UNION ALL
    SELECT NULL, id, NULL, NULL, merchant_id, public_id, settlement_currency, currency,
           -amount, -fee_returned, effective_at
    FROM payments_refund AS refund
    WHERE status = 'SUCCEEDED' AND settlement_currency <> currency
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE refund_id = refund.id)
    UNION ALL
    SELECT NULL, NULL, dispute.id, NULL, dispute.merchant_id, dispute.public_id,
           payment.settlement_currency, dispute.currency, -dispute.amount, dispute.fee,
           dispute.effective_at
    FROM payments_dispute AS dispute
    JOIN payments_payment AS payment ON payment.id = dispute.payment_id
    WHERE payment.settlement_currency <> dispute.currency
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE dispute_id = dispute.id)
    UNION ALL
    SELECT NULL, NULL, NULL, dispute.id, dispute.merchant_id, dispute.public_id,
           payment.settlement_currency, dispute.currency, dispute.amount, 0, dispute.won_at
    FROM payments_dispute AS dispute
    JOIN payments_payment AS payment ON payment.id = dispute.payment_id
    WHERE dispute.status = 'WON' AND payment.settlement_currency <> dispute.currency
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE won_dispute_id = dispute.id)
),
-- The merchant is owed what it was converted to, and pays our fee at the same rate.
converted AS (
    SELECT item.*, (sign(item.amount) * conversion.amount)::bigint AS gross,
           round(item.fee * conversion.amount / abs(item.amount))::bigint AS converted_fee,
           greatest(item.effective_at, conversion.effective_at) AS converted_at
    FROM foreign_item AS item
    JOIN payments_merchant AS merchant ON merchant.id = item.merchant_id
    JOIN LATERAL (
        SELECT sum(posting.amount) AS amount, max(entry.effective_at) AS effective_at
        FROM ledger_journalentry AS entry
        JOIN ledger_posting AS posting ON posting.entry_id = entry.id
        JOIN ledger_account AS account ON account.id = posting.account_id
        WHERE entry.reference = item.public_id AND entry.kind = 'merchant_conversion'
            AND NOT EXISTS (  -- of a match that somebody took apart
                SELECT FROM ledger_journalentry AS reversal WHERE reversal.reverses_id = entry.id
            )
            AND posting.direction = CASE WHEN item.amount > 0 THEN 'credit' ELSE 'debit' END
            AND account.owner = merchant.public_id
            AND account.code = 'merchant:' || merchant.code || ':payable:' || item.currency
    ) AS conversion ON conversion.amount > 0
),
-- How often two currencies are the same cannot be guessed: a CASE has the planner take it for likely.
item AS (
    SELECT merchant_id, currency, id AS payment_id, NULL::bigint AS refund_id,
           NULL::bigint AS dispute_id, NULL::bigint AS won_dispute_id,
           NULL::bigint AS reserve_released_id, NULL::bigint AS adjustment_id,
           NULL::bigint AS canceled_payout_id, amount_captured AS gross, fee,
           currency AS paid_currency, fee AS paid_fee, effective_at
    FROM payments_payment AS payment
    WHERE id > %(looked_at)s::bigint AND status = 'SUCCEEDED' AND NOT is_settled_elsewhere
        AND CASE settlement_currency WHEN currency THEN true ELSE false END
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE payment_id = payment.id)
    UNION ALL
    SELECT merchant_id, currency, NULL, id, NULL, NULL, NULL, NULL, NULL, -amount, -fee_returned,
           currency, -fee_returned, effective_at
    FROM payments_refund AS refund
    WHERE status = 'SUCCEEDED' AND CASE settlement_currency WHEN currency THEN true ELSE false END
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE refund_id = refund.id)
    UNION ALL
    SELECT dispute.merchant_id, dispute.currency, NULL, NULL, dispute.id, NULL, NULL, NULL, NULL,
           -dispute.amount, dispute.fee, dispute.currency, dispute.fee, dispute.effective_at
    FROM payments_dispute AS dispute
    JOIN payments_payment AS payment ON payment.id = dispute.payment_id
    WHERE CASE payment.settlement_currency WHEN dispute.currency THEN true ELSE false END
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE dispute_id = dispute.id)
    UNION ALL
    SELECT dispute.merchant_id, dispute.currency, NULL, NULL, NULL, dispute.id, NULL, NULL, NULL,
           dispute.amount, 0, dispute.currency, 0, dispute.won_at
    FROM payments_dispute AS dispute
    JOIN payments_payment AS payment ON payment.id = dispute.payment_id
    WHERE dispute.status = 'WON'
        AND CASE payment.settlement_currency WHEN dispute.currency THEN true ELSE false END
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE won_dispute_id = dispute.id)
    UNION ALL
    SELECT merchant_id, currency, payment_id, refund_id, dispute_id, won_dispute_id, NULL, NULL,
           NULL, gross, converted_fee, paid_currency, fee, converted_at
    FROM converted
    UNION ALL
    SELECT hold.merchant_id, currency, NULL, NULL, NULL, NULL, hold.id, NULL, NULL, amount, 0,
           currency, 0, '-infinity'
    FROM settlements_reservehold AS hold
    JOIN closing ON closing.merchant_id = hold.merchant_id AND closing.period >= hold.release_on
    WHERE NOT EXISTS (SELECT FROM settlements_settlement WHERE reserve_released_id = hold.id)
    UNION ALL
    SELECT merchant_id, currency, NULL, NULL, NULL, NULL, NULL, id, NULL, amount, 0, currency, 0,
           effective_at
    FROM settlements_adjustment AS adjustment
    WHERE status = 'POSTED'
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE adjustment_id = adjustment.id)
    UNION ALL
    SELECT merchant_id, currency, NULL, NULL, NULL, NULL, NULL, NULL, id, amount, 0, currency, 0,
           canceled_at
    FROM settlements_payout AS payout
    WHERE status = 'CANCELED'
        AND NOT EXISTS (SELECT FROM settlements_settlement WHERE canceled_payout_id = payout.id)
),
due AS MATERIALIZED (
    SELECT item.* FROM item JOIN closing USING (merchant_id) WHERE item.effective_at < closing.until
),
total AS (
    SELECT merchant_id, currency, closing.period, closing.release_on, count(*) AS line_count,
           sum(gross)::bigint AS gross, sum(fee)::bigint AS fee,
           round(coalesce(sum(gross) FILTER (WHERE payment_id IS NOT NULL), 0)
               * closing.reserve_basis_points / 10000)::bigint AS reserve_wanted,
           coalesce(sum(gross - fee) FILTER (WHERE reserve_released_id IS NULL), 0)::bigint
               AS earned,
           coalesce((closing.minimums ->> currency)::bigint, 0) AS minimum
    FROM due JOIN closing USING (merchant_id)
    WHERE NOT EXISTS (
        SELECT FROM settlements_settlementbatch AS closed
        WHERE closed.merchant_id = due.merchant_id AND closed.currency = due.currency
            AND closed.period >= closing.period
    )
    GROUP BY merchant_id, currency, closing.period, closing.release_on,
             closing.reserve_basis_points, closing.minimums
),
-- A reserve never makes a batch negative.
figure AS MATERIALIZED (
    SELECT total.*, least(reserve_wanted, greatest(earned, 0)) AS reserve, carried.amount AS carried
    FROM total CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT net + carried_in - payout_amount
            FROM settlements_settlementbatch AS earlier
            WHERE earlier.merchant_id = total.merchant_id AND earlier.currency = total.currency
            ORDER BY period DESC LIMIT 1
        ), 0) AS amount
    ) AS carried
),
batch AS (
    INSERT INTO settlements_settlementbatch (
        public_id, merchant_id, currency, period, status,
        line_count, gross, fee, net, carried_in, payout_amount
    )
    SELECT 'sb_' || replace(uuidv7()::text, '-', ''), merchant_id, currency, period, 'CLOSED',
           line_count + CASE WHEN reserve > 0 THEN 1 ELSE 0 END, gross - reserve, fee,
           gross - reserve - fee, carried,
           CASE WHEN gross - reserve - fee + carried >= greatest(minimum, 1)
               THEN gross - reserve - fee + carried ELSE 0 END
    FROM figure
    ORDER BY merchant_id, currency
    RETURNING id, merchant_id, currency
),
hold AS (
    INSERT INTO settlements_reservehold (merchant_id, currency, amount, held_on, release_on)
    SELECT merchant_id, currency, reserve, period, release_on FROM figure WHERE reserve > 0
    RETURNING id, merchant_id, currency, amount
),
line AS (
    INSERT INTO settlements_settlement (
        batch_id, payment_id, refund_id, dispute_id, won_dispute_id, reserve_held_id,
        reserve_released_id, adjustment_id, canceled_payout_id, gross, fee, net
    )
    SELECT batch.id, payment_id, refund_id, dispute_id, won_dispute_id, NULL,
           reserve_released_id, adjustment_id, canceled_payout_id, gross, fee, gross - fee
    FROM due JOIN batch USING (merchant_id, currency)
    UNION ALL
    SELECT batch.id, NULL, NULL, NULL, NULL, hold.id, NULL, NULL, NULL, -amount, 0, -amount
    FROM hold JOIN batch USING (merchant_id, currency)
)
SELECT batch.id AS batch_id, 'closed' AS what, NULL::bigint AS hold_id, '' AS paid_currency,
       0::bigint AS paid_amount, 0::bigint AS amount
FROM batch
UNION ALL
SELECT batch.id, 'reserve_held', hold.id, '', 0, amount
FROM hold JOIN batch USING (merchant_id, currency)
UNION ALL
SELECT batch.id, 'reserve_released', reserve_released_id, '', 0, gross
FROM due JOIN batch USING (merchant_id, currency) WHERE reserve_released_id IS NOT NULL
UNION ALL
SELECT batch.id, 'fees_converted', NULL, paid_currency, sum(paid_fee)::bigint, sum(fee)::bigint
FROM due JOIN batch USING (merchant_id, currency) WHERE paid_currency <> currency
GROUP BY batch.id, paid_currency
ORDER BY batch_id, what, hold_id, paid_currency
