-- What a request got under this key before.
SELECT http_status, location, body, request_digest, request_id
FROM payments_idempotencykey
WHERE merchant_id = %(merchant_id)s::bigint AND route = %(route)s::text AND key = %(key)s::text
