-- The next entries to seal, at most so many, and whether that is all up to the boundary.
WITH next_entry AS (
    SELECT id FROM ledger_journalentry
    WHERE id > %(after)s::bigint AND id <= %(up_to)s::bigint
    ORDER BY id LIMIT %(count)s + 1
),
block AS (
    SELECT id FROM next_entry ORDER BY id LIMIT %(count)s
)
SELECT min(id) AS first_entry_id, max(id) AS last_entry_id, count(*) AS entry_count,
       count(*) = (SELECT count(*) FROM next_entry) AS is_last
FROM block
