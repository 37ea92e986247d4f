-- The first entry after an id whose debits and credits differ in some currency, or which lacks
-- postings.
WITH posted AS (
    SELECT posting.entry_id, account.currency, count(*) AS postings,
           sum(CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END)
               AS difference
    FROM ledger_posting AS posting
    LEFT JOIN ledger_account AS account ON account.id = posting.account_id
    WHERE posting.entry_id > %(after)s::bigint
    GROUP BY posting.entry_id, account.currency
),
entry AS (
    SELECT entry_id, sum(postings) AS postings, bool_or(difference <> 0) AS is_unbalanced,
           bool_or(currency IS NULL) AS has_stray_posting
    FROM posted GROUP BY entry_id
),
stored AS (
    SELECT id, public_id, posting_count FROM ledger_journalentry WHERE id > %(after)s::bigint
)
SELECT coalesce(entry.entry_id, stored.id) AS entry_id, stored.public_id,
       CASE WHEN stored.id IS NULL THEN 'its postings have no entry'
            WHEN entry.entry_id IS NULL THEN 'it has no postings'
            WHEN entry.postings <> stored.posting_count
                THEN 'it has ' || entry.postings || ' postings of ' || stored.posting_count
            WHEN entry.has_stray_posting THEN 'a posting names no account'
            ELSE 'debits are not credits' END AS problem
FROM entry FULL JOIN stored ON stored.id = entry.entry_id
WHERE stored.id IS NULL OR entry.entry_id IS NULL OR entry.postings <> stored.posting_count
    OR entry.has_stray_posting OR entry.is_unbalanced
ORDER BY 1 LIMIT 1
