-- Judge each new pair that is not alike: the first difference in presentment counts, then the rate, then the fee;
-- lateness is a finding of its own.
WITH pair AS (
    SELECT item.item_kind, item.item_id, item.reference, item.amount, item.currency,
           item.settlement_due_on, item.processor_fee_expected, item.processor_fee_currency,
           line.line_id, line.gross, line.fee, line.booked_on, line.value_on,
           line.account_currency AS line_currency,
           CASE WHEN line.presentment_amount IS NOT NULL THEN line.presentment_amount
                WHEN line.account_currency = item.settlement_currency
                    AND item.settlement_currency <> item.currency THEN item.amount
                ELSE line.gross END AS shown,
           CASE WHEN line.presentment_amount IS NOT NULL THEN line.presentment_currency
                WHEN line.account_currency = item.settlement_currency
                    AND item.settlement_currency <> item.currency THEN item.currency
                ELSE line.account_currency END AS shown_currency
    FROM found
    JOIN open_item AS item USING (item_kind, item_id)
    JOIN open_line AS line USING (line_id)
),
rated AS (
    SELECT pair.*, round(abs(shown) * rate.rate * power(10::numeric, into_.exponent - from_.exponent))
               AS gross_at_rate
    FROM pair
    LEFT JOIN unnest(%(currencies)s::text[], %(exponents)s::int[]) AS from_ (code, exponent)
        ON from_.code = shown_currency AND shown_currency <> line_currency
    LEFT JOIN unnest(%(currencies)s::text[], %(exponents)s::int[]) AS into_ (code, exponent)
        ON into_.code = line_currency AND shown_currency <> line_currency
    LEFT JOIN LATERAL (
        SELECT CASE base WHEN shown_currency THEN fx.rate ELSE 1 / fx.rate END AS rate
        FROM reconciliation_fxrate AS fx
        WHERE shown_currency <> line_currency
            AND (base, quote) IN ((shown_currency, line_currency), (line_currency, shown_currency))
        ORDER BY date > booked_on, abs(date - booked_on), base = shown_currency DESC LIMIT 1
    ) AS rate ON true
),
judged AS (
    SELECT rated.*, CASE
        WHEN shown_currency <> currency THEN 'currency_mismatch'
        WHEN sign(shown) = -sign(amount) THEN 'wrong_sign'
        WHEN abs(shown - amount) = 1 THEN 'rounding_difference'
        WHEN shown <> amount THEN 'amount_mismatch'
        WHEN abs(abs(gross) - gross_at_rate)
            > greatest(1, gross_at_rate * %(fx_tolerance)s / 10000) THEN 'fx_rate_deviation'
        WHEN line_currency = processor_fee_currency AND fee <> processor_fee_expected
            THEN 'fee_mismatch'
    END AS type
    FROM rated
),
finding AS (
    SELECT item_kind, item_id, line_id, reference, booked_on, type,
           CASE type
               WHEN 'fx_rate_deviation' THEN line_currency
               WHEN 'fee_mismatch' THEN line_currency
               ELSE currency END AS currency,
           CASE type
               WHEN 'currency_mismatch' THEN amount
               WHEN 'fx_rate_deviation' THEN abs(gross) - gross_at_rate
               WHEN 'fee_mismatch' THEN fee - processor_fee_expected
               ELSE shown - amount END AS at_stake,
           CASE type
               WHEN 'fx_rate_deviation' THEN gross_at_rate || ' ' || line_currency
               WHEN 'fee_mismatch' THEN processor_fee_expected || ' ' || line_currency
               ELSE amount || ' ' || currency END AS expected,
           CASE type
               WHEN 'fx_rate_deviation' THEN abs(gross) || ' ' || line_currency
               WHEN 'fee_mismatch' THEN fee || ' ' || line_currency
               ELSE shown || ' ' || shown_currency END AS actual
    FROM judged WHERE type IS NOT NULL
    UNION ALL
    SELECT item_kind, item_id, line_id, reference, booked_on, 'late_settlement', currency, amount,
           settlement_due_on::text, value_on::text
    FROM judged WHERE value_on > settlement_due_on
)
INSERT INTO reconciliation_discrepancy (
    public_id, key, type, status, source_id, reference, currency, amount, expected, actual, since,
    payment_id, refund_id, line_id, opened_by_id
)
SELECT 'disc_' || replace(uuidv7()::text, '-', ''),
       type || ':' || item_kind || ':' || item_id, type, 'OPEN', %(source_id)s, reference, currency,
       at_stake, expected, actual, booked_on,
       CASE item_kind WHEN 'payment' THEN item_id END, CASE item_kind WHEN 'refund' THEN item_id END,
       line_id, %(run_id)s
FROM finding
ORDER BY line_id, type
-- Known is only what was found about an earlier pair, which was taken apart.
ON CONFLICT (key) DO UPDATE
SET status = 'OPEN', resolved_at = NULL, resolved_by_id = NULL, reason_code = '', resolution = '',
    ended_by = '', currency = excluded.currency, amount = excluded.amount,
    expected = excluded.expected, actual = excluded.actual, since = excluded.since,
    line_id = excluded.line_id
WHERE reconciliation_discrepancy.status = 'RESOLVED'
