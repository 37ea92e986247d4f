-- Which of these entries cannot be reversed: reversed already, or not there.
SELECT wanted.id
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
WHERE EXISTS (SELECT FROM ledger_journalentry WHERE reverses_id = wanted.id)
    OR NOT EXISTS (SELECT FROM ledger_journalentry WHERE id = wanted.id)
