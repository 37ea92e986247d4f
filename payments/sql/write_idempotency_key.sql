-- Keep what a request was answered, under its key.
INSERT INTO payments_idempotencykey (
    merchant_id, route, key, request_digest, request_id, http_status, location, body
) VALUES (
    %(merchant_id)s, %(route)s, %(key)s, %(request_digest)s, %(request_id)s, %(http_status)s,
    %(location)s, %(body)s
)
