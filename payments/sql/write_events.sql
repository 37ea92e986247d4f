-- Write events down, numbered among those about the same subject, whose row the caller has locked, and
-- a delivery of each for every endpoint that wants it; says how many deliveries those are.
WITH event AS (
    INSERT INTO payments_event (
        public_id, merchant_id, type, subject, sequence, data, created_at
    )
    SELECT fact.public_id, fact.merchant_id, fact.type, fact.subject,
        coalesce(
            (SELECT max(earlier.sequence) FROM payments_event AS earlier
             WHERE earlier.subject = fact.subject),
            0
        ) + row_number() OVER (PARTITION BY fact.subject ORDER BY fact.position),
        fact.data, %(at)s::timestamptz
    FROM unnest(
        %(public_ids)s::text[], %(merchant_ids)s::bigint[], %(types)s::text[], %(subjects)s::text[],
        %(data)s::text[]
    ) WITH ORDINALITY AS fact (public_id, merchant_id, type, subject, data, position)
    RETURNING id, merchant_id, type
),
listener AS (
    -- One that failed for days gets its deliveries too; they wait until it is enabled again.
    SELECT id, merchant_id, event_types, status = 'ENABLED' AS is_enabled
    FROM payments_webhookendpoint
    WHERE removed_at IS NULL AND status IN ('ENABLED', 'DISABLED_AUTO')
        AND (merchant_id IS NULL OR merchant_id = ANY(%(merchant_ids)s::bigint[]))
),
heard AS (
    SELECT event.id AS event_id, event.type, listener.*
    FROM event JOIN listener ON listener.merchant_id = event.merchant_id
    UNION ALL
    SELECT event.id, event.type, listener.*
    FROM event JOIN listener ON listener.merchant_id IS NULL
),
delivery AS (
    INSERT INTO payments_webhookdelivery (
        public_id, event_id, endpoint_id, status, tries, due_at, created_at
    )
    SELECT 'wd_' || replace(uuidv7()::text, '-', ''), event_id, id, 'PENDING', 0,
        CASE WHEN is_enabled THEN %(at)s::timestamptz END, %(at)s::timestamptz
    FROM heard
    WHERE event_types && ARRAY['*', split_part(type, '.', 1) || '.*', type]::varchar[]
    ORDER BY event_id, id
    RETURNING id
)
SELECT count(*) AS deliveries FROM delivery
