-- One account before, in and after a period: what its postings come to, and what is kept of them.
-- By the side credits are on; both come from one snapshot, so they differ only if one is wrong.
SELECT coalesce(sum(posting.signed) FILTER (WHERE effective_at < %(since)s::timestamptz), 0)
           ::bigint AS opening,
       coalesce(sum(posting.signed) FILTER (
           WHERE effective_at >= %(since)s::timestamptz AND effective_at < %(until)s::timestamptz
       ), 0)::bigint AS moved,
       (kept.credits - kept.debits)
           - coalesce(sum(posting.signed) FILTER (WHERE effective_at >= %(until)s::timestamptz), 0)
           ::bigint AS closing
FROM ledger_accountbalance AS kept
LEFT JOIN LATERAL (
    SELECT CASE line.direction WHEN 'credit' THEN line.amount ELSE -line.amount END AS signed,
           entry.effective_at
    FROM ledger_posting AS line
    JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    WHERE line.account_id = kept.account_id
) AS posting ON true
WHERE kept.account_id = %(account_id)s::bigint
GROUP BY kept.account_id, kept.credits, kept.debits
