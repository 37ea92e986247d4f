-- Statement files that are held past their lease, that nobody will ever read, or that are over and
-- not left alone. A parked file waits for a person.
SELECT public_id AS subject,
       CASE WHEN status NOT IN ('RECEIVED', 'LOADING') THEN 'it is over and still due or held'
            WHEN holder IS NOT NULL THEN 'its lease ended at ' || leased_until
                || ', heartbeat ' || holder || ' holds it still'
            ELSE 'it is open, not due and not parked' END AS problem
FROM reconciliation_statementfile AS file
WHERE status NOT IN ('RECEIVED', 'LOADING') AND (due_at IS NOT NULL OR holder IS NOT NULL)
    OR holder IS NOT NULL
        AND leased_until < statement_timestamp() - make_interval(secs => %(patience)s::integer)
    OR status IN ('RECEIVED', 'LOADING') AND due_at IS NULL AND holder IS NULL
        AND NOT EXISTS (
            SELECT FROM payments_parkedwork AS parked
            WHERE parked.queue = 'reconciliation_statementfile' AND parked.row_id = file.id
                AND parked.resolved_at IS NULL
        )
ORDER BY leased_until, subject LIMIT 20
