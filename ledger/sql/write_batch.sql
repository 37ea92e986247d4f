-- Write accepted entries with their postings; the last ones of a batch move its balances as well.
SELECT ledger_write_batch(
    %(entry_ids)s, %(public_ids)s, %(keys)s, %(fingerprints)s, %(kinds)s, %(references)s,
    %(posting_counts)s, %(effective_ats)s, %(late_froms)s, %(reverses)s,
    %(posting_entry_ids)s, %(positions)s, %(account_ids)s, %(directions)s, %(amounts)s,
    %(balances_after)s,
    %(moved_ids)s, %(debits)s, %(credits)s, %(released_debits)s, %(released_credits)s
)
