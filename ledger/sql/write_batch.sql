-- Write accepted entries with their postings; the last ones of a batch move its balances as well.
SELECT ledger_write_batch(
    %(entry_ids)s, %(account_ids)s, %(floors)s, NULL, NULL, NULL, NULL, NULL,
    %(public_ids)s, %(keys)s, %(fingerprints)s, %(kinds)s, %(references)s, %(posting_counts)s,
    %(effective_ats)s, NULL, %(late_froms)s, %(reverses)s,
    %(posting_entries)s, %(positions)s, %(posting_accounts)s, %(directions)s, %(amounts)s,
    %(debits)s, %(credits)s, %(released_debits)s, %(released_credits)s, %(rises)s
)
