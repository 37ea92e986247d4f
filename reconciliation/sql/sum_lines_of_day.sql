-- Count and sums of the lines an account's statements have for one day, as known at a moment.
SELECT count(*) AS lines, coalesce(sum(net) FILTER (WHERE net > 0), 0)::bigint AS credits,
       coalesce(sum(-net) FILTER (WHERE net < 0), 0)::bigint AS debits,
       coalesce(sum(gross), 0)::bigint AS gross, coalesce(sum(fee), 0)::bigint AS fee,
       coalesce(sum(net), 0)::bigint AS net
FROM reconciliation_statementline AS line
JOIN reconciliation_statementfile AS file ON file.id = line.file_id
WHERE line.source_account_id = %(source_account_id)s::bigint AND line.booked_on = %(day)s::date
    AND coalesce(line.corrected_at, file.loaded_at) <= %(known_at)s::timestamptz
