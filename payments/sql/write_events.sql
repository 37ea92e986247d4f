-- Write events down, numbered among those about the same subject, whose row the caller has locked.
INSERT INTO payments_event (public_id, merchant_id, type, subject, sequence, data, created_at)
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
