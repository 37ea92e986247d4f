-- The last of the next matches whose facts are not in the ledger yet; none if all are.
SELECT max(id) AS last_match
FROM (
    SELECT id FROM reconciliation_match
    WHERE run_id = %(run_id)s::bigint AND id > %(after)s::bigint
        AND kind IN ('payment', 'refund', 'dispute', 'won_dispute')
    ORDER BY id LIMIT %(limit)s::integer
) AS chunk
