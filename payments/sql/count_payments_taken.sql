-- How many payments were taken in each stretch of time, by status: stretches of public ids, in which
-- the time comes first. History of other systems was not taken here.
SELECT stretch.number::int AS stretch, counted.status, counted.payments
FROM unnest(%(first_ids)s::text[], %(last_ids)s::text[]) WITH ORDINALITY
    AS stretch (first_id, last_id, number)
CROSS JOIN LATERAL (
    SELECT status, count(*) AS payments
    FROM payments_payment
    WHERE public_id >= stretch.first_id AND public_id < stretch.last_id AND source <> 'imported'
    GROUP BY status
) AS counted
