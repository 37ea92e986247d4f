-- Payments, refunds and disputes not booked exactly once as they are, and entries about nothing.
-- Amounts are what the processor owes us more by it. Other systems settled history of theirs.
WITH fact AS (
    SELECT 'payment' AS kind, payment.public_id AS subject, amount_captured AS amount,
           'clearing:' || gateway.code || ':' || currency AS account
    FROM payments_payment AS payment
    JOIN payments_gateway AS gateway ON gateway.id = payment.gateway_id
    WHERE status = 'SUCCEEDED' AND NOT is_settled_elsewhere
    UNION ALL
    SELECT 'refund', refund.public_id, -refund.amount,
           'clearing:' || gateway.code || ':' || refund.currency
    FROM payments_refund AS refund
    JOIN payments_payment AS payment ON payment.id = refund.payment_id
    JOIN payments_gateway AS gateway ON gateway.id = payment.gateway_id
    WHERE refund.status = 'SUCCEEDED'
    UNION ALL
    SELECT step.kind, dispute.public_id, step.sign * dispute.amount,
           'clearing:' || gateway.code || ':' || dispute.currency
    FROM payments_dispute AS dispute
    JOIN payments_payment AS payment ON payment.id = dispute.payment_id
    JOIN payments_gateway AS gateway ON gateway.id = payment.gateway_id
    JOIN (VALUES ('dispute', -1), ('dispute_won', 1)) AS step (kind, sign)
        ON step.kind = 'dispute' OR dispute.status = 'WON'
),
clearing AS (
    SELECT id, code FROM ledger_account WHERE owner = '' AND starts_with(code, 'clearing:')
),
booked AS (
    SELECT entry.kind, entry.reference AS subject, count(*) AS times, min(clearing.code) AS account,
           sum(CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END)
               AS amount
    FROM ledger_journalentry AS entry
    LEFT JOIN (ledger_posting AS posting JOIN clearing ON clearing.id = posting.account_id)
        ON posting.entry_id = entry.id
    WHERE entry.kind IN ('payment', 'refund', 'dispute', 'dispute_won')
    GROUP BY entry.kind, entry.reference
)
SELECT subject,
       CASE WHEN fact.kind IS NULL THEN 'an entry (' || kind || ') says what did not happen'
            WHEN booked.kind IS NULL THEN 'it is not booked (' || kind || ')'
            WHEN booked.times <> 1 THEN 'it is booked ' || booked.times || ' times (' || kind || ')'
            ELSE 'it is ' || fact.amount || ' on ' || fact.account || ', booked is '
                || coalesce(booked.amount, 0) || ' on ' || coalesce(booked.account, 'none')
       END AS problem
FROM fact FULL JOIN booked USING (kind, subject)
WHERE fact.kind IS NULL OR booked.kind IS NULL OR booked.times <> 1
    OR (fact.amount, fact.account) IS DISTINCT FROM (booked.amount, booked.account)
ORDER BY subject LIMIT 20
