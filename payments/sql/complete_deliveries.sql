-- Write what became of deliveries in hand, whose rows the caller has locked, and the attempts made.
WITH outcome AS (
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(statuses)s::text[], %(tries)s::integer[], %(due_ats)s::timestamptz[],
        %(delivered_ats)s::timestamptz[], %(numbers)s::integer[], %(asked_ats)s::timestamptz[],
        %(milliseconds)s::integer[], %(status_codes)s::smallint[], %(errors)s::text[],
        %(answers)s::text[]
    ) AS outcome (
        id, status, tries, due_at, delivered_at, number, asked_at, milliseconds, status_code,
        error, answer
    )
),
attempt AS (
    INSERT INTO payments_webhookattempt (
        delivery_id, number, asked_at, milliseconds, status_code, error, answer
    )
    SELECT id, number, asked_at, milliseconds, status_code, error, answer FROM outcome ORDER BY id
)
UPDATE payments_webhookdelivery AS delivery
SET status = outcome.status, tries = outcome.tries, due_at = outcome.due_at,
    delivered_at = coalesce(outcome.delivered_at, delivery.delivered_at), holder = NULL,
    deaths = 0, failures = 0, problem = ''
FROM outcome WHERE outcome.id = delivery.id
