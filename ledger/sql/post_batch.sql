-- Post a batch of entries that nothing speaks against: their ids as text, or null if something does.
SELECT ledger_write_batch(
    NULL, NULL, NULL, %(owners)s, %(codes)s, %(currencies)s, %(types)s, %(lows)s,
    %(public_ids)s, %(keys)s, %(fingerprints)s, %(kinds)s, %(references)s, %(posting_counts)s,
    %(effective_ats)s, %(earliest)s, NULL, NULL,
    %(posting_entries)s, %(positions)s, %(posting_accounts)s, %(directions)s, %(amounts)s,
    %(debits)s, %(credits)s, NULL, NULL, %(rises)s
)::text
