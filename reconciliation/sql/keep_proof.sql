-- Keep what a tie-out came to, unless one of a later day, or known later, is kept already.
INSERT INTO reconciliation_accountproof AS kept
    (source_account_id, day, known_at, book, statement, explained, open_items)
VALUES (
    %(source_account_id)s, %(day)s::date, %(known_at)s::timestamptz,
    %(book)s::bigint, %(statement)s::bigint, %(explained)s::bigint, %(open_items)s::int
)
ON CONFLICT (source_account_id) DO UPDATE
SET day = excluded.day, known_at = excluded.known_at, book = excluded.book,
    statement = excluded.statement, explained = excluded.explained, open_items = excluded.open_items
WHERE (kept.day, kept.known_at) <= (excluded.day, excluded.known_at)
