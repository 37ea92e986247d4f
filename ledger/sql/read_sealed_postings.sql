-- What a seal says of the postings of entries: `POSTING_FIELDS` of ledger/proof.py.
SELECT posting.entry_id, posting.position, account.owner, account.code, account.currency,
       posting.direction, posting.amount
FROM ledger_posting AS posting
LEFT JOIN ledger_account AS account ON account.id = posting.account_id
WHERE posting.entry_id > %(after)s::bigint AND posting.entry_id <= %(up_to)s::bigint
ORDER BY posting.entry_id, posting.position
