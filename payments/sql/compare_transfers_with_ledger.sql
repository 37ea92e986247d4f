-- Completed transfers of one account in a period beside the entries about transfers on it.
-- Changes of the balance by the side credits are on. A transfer without an entry belongs to the
-- period in which it was asked for, all others to that of their entry.
WITH posted AS (
    SELECT entry.public_id AS journal_entry, entry.reference, entry.effective_at,
           sum(CASE posting.direction WHEN 'credit' THEN posting.amount ELSE -posting.amount END)
               ::bigint AS change
    FROM ledger_posting AS posting
    JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
    WHERE posting.account_id = %(account_id)s::bigint
        AND entry.kind IN ('transfer', 'transfer_refund')
    GROUP BY entry.id
),
wished AS (
    SELECT public_id, journal_entry, created_at,
           CASE WHEN source_account_id = %(account_id)s::bigint THEN -amount ELSE amount END
               AS change
    FROM payments_transfer
    WHERE status = 'COMPLETED'
        AND (source_account_id = %(account_id)s::bigint
             OR destination_account_id = %(account_id)s::bigint)
)
SELECT wished.public_id AS transfer, journal_entry, posted.reference, wished.change AS wished,
       posted.change AS posted
FROM wished
FULL JOIN posted USING (journal_entry)
WHERE coalesce(posted.effective_at, wished.created_at) >= %(since)s::timestamptz
    AND coalesce(posted.effective_at, wished.created_at) < %(until)s::timestamptz
ORDER BY coalesce(posted.effective_at, wished.created_at), journal_entry
