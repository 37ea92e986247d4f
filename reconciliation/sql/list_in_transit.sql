-- What is on its way on an account of money in transit at the end of a day, payout by payout, as known at
-- a moment; by the account's normal side. Entries of bank lines and their reversals count to the payout.
SELECT item.matter, coalesce(payout.external_id, item.matter) AS name, item.since, payout.due_on,
       item.amount
FROM (
    SELECT moved.matter, min(moved.took_effect_on) AS since, sum(moved.amount)::bigint AS amount
    FROM (
        SELECT CASE first.kind
                   WHEN 'deposit' THEN (
                       SELECT 'payout:' || line_id FROM reconciliation_processorpayout
                       WHERE id = split_part(first.idempotency_key, ':', 2)::bigint)
                   WHEN 'payout_paid' THEN split_part(first.idempotency_key, ':', 2)
                   ELSE first.reference
               END AS matter,
               (entry.effective_at AT TIME ZONE %(zone)s::text)::date AS took_effect_on,
               CASE posting.direction WHEN %(normal_side)s::text THEN posting.amount
                   ELSE -posting.amount END AS amount
        FROM ledger_posting AS posting
        JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
        JOIN ledger_journalentry AS first ON first.id = coalesce(entry.reverses_id, entry.id)
        WHERE posting.account_id = %(account_id)s::bigint
            AND entry.effective_at < %(end_of_day)s::timestamptz
            AND entry.posted_at <= %(known_at)s::timestamptz
    ) AS moved
    GROUP BY moved.matter
) AS item
LEFT JOIN reconciliation_processorpayout AS payout ON 'payout:' || payout.line_id = item.matter
WHERE item.amount <> 0
ORDER BY item.since, item.matter
