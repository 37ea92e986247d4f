-- What our books say an account held at the end of a day, as known at a moment; debit is positive.
SELECT coalesce(
    sum(CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END), 0
)::bigint AS balance
FROM ledger_posting AS posting JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
WHERE posting.account_id = %(account_id)s
    AND entry.effective_at < %(end_of_day)s AND entry.posted_at <= %(known_at)s
