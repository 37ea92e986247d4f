-- Add the postings of a sealed block to the totals of the days they took effect and were posted on.
INSERT INTO ledger_daytotal AS kept (
    account_id, effective_on, posted_on, debits, credits, first_entry_id, last_entry_id
)
SELECT posting.account_id,
       (entry.effective_at AT TIME ZONE 'UTC')::date,
       (entry.posted_at AT TIME ZONE 'UTC')::date,
       coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'debit'), 0),
       coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'credit'), 0),
       min(posting.entry_id),
       max(posting.entry_id)
FROM ledger_posting AS posting
JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
WHERE posting.entry_id BETWEEN %(first_entry_id)s::bigint AND %(last_entry_id)s::bigint
GROUP BY 1, 2, 3
ON CONFLICT (account_id, effective_on, posted_on) DO UPDATE
SET debits = kept.debits + excluded.debits,
    credits = kept.credits + excluded.credits,
    first_entry_id = least(kept.first_entry_id, excluded.first_entry_id),
    last_entry_id = greatest(kept.last_entry_id, excluded.last_entry_id)
