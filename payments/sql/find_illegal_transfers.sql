-- Transfers that are not completed by one entry of their own, or refunded as their refunds say.
WITH entry AS (
    SELECT journal.public_id, journal.reference AS subject, posting.account_id AS source_id,
           posting.amount
    FROM ledger_journalentry AS journal
    JOIN ledger_posting AS posting ON posting.entry_id = journal.id AND posting.direction = 'debit'
    WHERE journal.kind IN ('transfer', 'transfer_refund')
),
refunded AS (
    SELECT refund_of_id AS transfer_id, sum(amount) FILTER (WHERE status <> 'FAILED') AS amount
    FROM payments_transfer WHERE refund_of_id IS NOT NULL GROUP BY refund_of_id
)
SELECT transfer.public_id AS subject,
       CASE WHEN coalesce(refunded.amount, 0) <> transfer.amount_refunded
                THEN transfer.amount_refunded || ' is refunded, its refunds are '
                    || coalesce(refunded.amount, 0)
            WHEN refunded.amount > 0 AND transfer.status <> 'COMPLETED'
                THEN 'it is ' || transfer.status || ' and refunded'
            ELSE 'it is ' || transfer.status || ' with '
                || coalesce('entry ' || entry.public_id, 'no entry') END AS problem
FROM payments_transfer AS transfer
LEFT JOIN entry ON entry.subject = transfer.public_id
LEFT JOIN refunded ON refunded.transfer_id = transfer.id
WHERE coalesce(refunded.amount, 0) <> transfer.amount_refunded
    OR refunded.amount > 0 AND transfer.status <> 'COMPLETED'
    OR transfer.status = 'COMPLETED'
        AND (transfer.journal_entry, transfer.source_account_id, transfer.amount)
            IS DISTINCT FROM (entry.public_id, entry.source_id, entry.amount)
    -- A failed one may have an entry that a person has reversed.
    OR transfer.status <> 'COMPLETED' AND entry.public_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM ledger_journalentry AS reversal
        JOIN ledger_journalentry AS reversed ON reversed.id = reversal.reverses_id
        WHERE reversed.public_id = entry.public_id
    )
UNION ALL
SELECT entry.subject, 'entry ' || entry.public_id || ' moved what nobody asked for'
FROM entry LEFT JOIN payments_transfer AS transfer ON transfer.public_id = entry.subject
WHERE transfer.id IS NULL
ORDER BY subject LIMIT 20
