-- Make an idempotency key ours until the transaction ends; false if somebody else is at it.
SELECT pg_try_advisory_xact_lock(
    hashtextextended(%(merchant_id)s::bigint::text || ':' || %(route)s::text || ':' || %(key)s::text, 0)
)
