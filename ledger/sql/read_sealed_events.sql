-- What a seal says of audit events, a page of them: all of each, in this order.
SELECT id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
       actor_kind, actor_id, actor_label, action, subject, reason, request_id, address, user_agent,
       before::text AS before, after::text AS after
FROM ledger_auditevent
WHERE id > %(after)s::bigint AND id <= %(up_to)s::bigint
ORDER BY id LIMIT %(count)s
