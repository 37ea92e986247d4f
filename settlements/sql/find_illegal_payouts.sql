-- Payouts that are not what their batch, their entries or their file say; batches that owe and
-- have no payout; files that are not the sum of what is in them.
WITH booked AS (
    SELECT entry.idempotency_key, count(*) AS times, sum(posting.amount) AS amount
    FROM ledger_journalentry AS entry
    JOIN ledger_posting AS posting ON posting.entry_id = entry.id AND posting.direction = 'debit'
    WHERE entry.kind IN ('payout_rejected', 'payout_canceled', 'payout_returned')
    GROUP BY entry.idempotency_key
),
owed AS (
    SELECT 'payout_' || lower(status) || ':' || public_id AS idempotency_key, amount
    FROM settlements_payout WHERE status IN ('REJECTED', 'CANCELED', 'RETURNED')
),
latest AS (
    SELECT DISTINCT ON (batch_id) batch_id, status
    FROM settlements_payout ORDER BY batch_id, id DESC
),
filed AS (
    SELECT attempt.file_id, count(*) AS payouts, sum(payout.amount) AS amount,
           count(*) FILTER (WHERE attempt.is_live) AS live
    FROM settlements_payoutattempt AS attempt
    JOIN settlements_payout AS payout ON payout.id = attempt.payout_id
    GROUP BY attempt.file_id
)
SELECT payout.public_id AS subject, 'it is not what batch ' || batch.public_id || ' pays' AS problem
FROM settlements_payout AS payout JOIN settlements_settlementbatch AS batch ON batch.id = payout.batch_id
WHERE (payout.merchant_id, payout.currency, payout.amount)
    <> (batch.merchant_id, batch.currency, batch.payout_amount)
UNION ALL
SELECT public_id, 'the bank was told of it, and no file was'
FROM settlements_payout AS payout
WHERE status IN ('SENT', 'PAID', 'RETURNED') AND NOT EXISTS (
    SELECT FROM settlements_payoutattempt AS attempt
    WHERE attempt.payout_id = payout.id AND attempt.is_live
)
UNION ALL
SELECT batch.public_id, 'it is ' || batch.status || ' and its payout '
    || coalesce(latest.status, 'is missing')
FROM settlements_settlementbatch AS batch LEFT JOIN latest ON latest.batch_id = batch.id
WHERE batch.payout_amount > 0 AND (
    latest.status IS NULL
    OR (batch.status = 'PAID') <> (latest.status = 'PAID')
    OR (latest.status = 'CANCELED' AND batch.status <> 'FAILED')
    OR (latest.status IN ('APPROVED', 'SENT') AND batch.status <> 'CLOSED')
    OR latest.status IN ('REJECTED', 'RETURNED')
)
UNION ALL
SELECT idempotency_key, coalesce('it owes ' || owed.amount, 'it owes nothing') || ', booked is '
    || coalesce(booked.amount || ' in ' || booked.times, 'nothing')
FROM owed FULL JOIN booked USING (idempotency_key)
WHERE (owed.amount, 1) IS DISTINCT FROM (booked.amount, booked.times)
UNION ALL
SELECT file.public_id, 'it says ' || file.payout_count || ' payouts of ' || file.control_sum
    || ', and has ' || coalesce(filed.payouts, 0) || ' of ' || coalesce(filed.amount, 0)
FROM settlements_payoutfile AS file LEFT JOIN filed ON filed.file_id = file.id
WHERE (file.payout_count, file.control_sum)
    IS DISTINCT FROM (coalesce(filed.payouts, 0), coalesce(filed.amount, 0))
    OR (file.status = 'REJECTED') <> (coalesce(filed.live, 0) = 0)
ORDER BY subject LIMIT 20
