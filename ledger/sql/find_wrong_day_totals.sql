-- The first days of accounts whose kept totals are not the sums of their sealed postings.
WITH sealed AS (
    SELECT coalesce(max(last_entry_id), 0) AS head FROM ledger_seal
),
posted AS (
    SELECT posting.account_id,
           (entry.effective_at AT TIME ZONE 'UTC')::date AS effective_on,
           (entry.posted_at AT TIME ZONE 'UTC')::date AS posted_on,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'debit'), 0) AS debits,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'credit'), 0) AS credits,
           min(posting.entry_id) AS first_entry_id,
           max(posting.entry_id) AS last_entry_id
    FROM ledger_posting AS posting
    JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
    WHERE posting.entry_id <= (SELECT head FROM sealed)
    GROUP BY 1, 2, 3
)
SELECT account_id, account.code, account.owner, effective_on, posted_on,
       kept.debits, kept.credits,
       posted.debits::bigint AS posted_debits, posted.credits::bigint AS posted_credits
FROM ledger_daytotal AS kept
FULL JOIN posted USING (account_id, effective_on, posted_on)
LEFT JOIN ledger_account AS account ON account.id = account_id
WHERE (kept.debits, kept.credits, kept.first_entry_id, kept.last_entry_id)
    IS DISTINCT FROM
    (posted.debits, posted.credits, posted.first_entry_id, posted.last_entry_id)
ORDER BY account_id, effective_on, posted_on
LIMIT 5
