-- Do at the simulated processor what it has not done before; what it has done, for each key asked.
WITH wish AS MATERIALIZED (
    SELECT * FROM unnest(
        %(keys)s::text[], %(kinds)s::text[], %(merchants)s::text[], %(sources)s::text[],
        %(references)s::text[], %(parent_references)s::text[], %(amounts)s::bigint[],
        %(currencies)s::text[], %(outcomes)s::text[], %(decline_codes)s::text[]
    ) AS wish (
        key, kind, merchant, source, reference, parent_reference, amount, currency, outcome,
        decline_code
    )
),
done AS (
    INSERT INTO payments_simulatedoperation (
        gateway, key, kind, merchant, source, reference, parent_reference, amount, currency,
        outcome, decline_code
    )
    SELECT %(gateway)s::text, wish.* FROM wish
    ON CONFLICT (key) DO NOTHING
    RETURNING id, key, kind, outcome, decline_code, created_at
)
SELECT id, key, kind, outcome, decline_code, created_at, true AS is_new FROM done
UNION ALL
SELECT operation.id, operation.key, operation.kind, operation.outcome, operation.decline_code,
    operation.created_at, false
FROM payments_simulatedoperation AS operation
WHERE operation.key = ANY(%(keys)s::text[])
