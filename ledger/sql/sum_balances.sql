-- Debits and credits of accounts, each of what took effect and was posted before two moments.
-- Whole days come from their totals. Entries themselves are only looked at, by index, where a
-- moment cuts through a day, and behind the last seal; OFFSET 0 keeps the planner from reading all
-- of them for that. Without moments it is the balance kept.
WITH sealed AS (
    SELECT coalesce(max(last_entry_id), 0) AS head FROM ledger_seal
),
wanted AS (
    SELECT number, account_id, effective_before IS NULL AND posted_before IS NULL AS is_now,
           coalesce(effective_before, 'infinity') AS effective_before,
           coalesce(posted_before, 'infinity') AS posted_before,
           coalesce(effective_before, 'infinity') AT TIME ZONE 'UTC' AS effective_end,
           coalesce(posted_before, 'infinity') AT TIME ZONE 'UTC' AS posted_end
    FROM unnest(
        %(account_ids)s::bigint[],
        %(effective_befores)s::timestamptz[],
        %(posted_befores)s::timestamptz[]
    ) WITH ORDINALITY AS wanted (account_id, effective_before, posted_before, number)
),
-- A listing is to show what is in the journal just now, also when other transactions have filled ids
-- between it. Those ids are the gaps: between all entries or, if these are fewer, between the ones
-- of the account. Up to the last seal nothing is filled any more.
newest AS (
    SELECT coalesce(max(id), 0) AS entry_id FROM ledger_journalentry
),
own_gap AS (
    SELECT int8range(id_before + 1, id) AS gap
    FROM (
        SELECT id, lag(id, 1, sealed.head) OVER (ORDER BY id) AS id_before
        FROM sealed CROSS JOIN LATERAL (
            SELECT entry_id AS id FROM ledger_posting
            WHERE account_id = (%(account_ids)s::bigint[])[1] AND entry_id > sealed.head
            UNION ALL SELECT entry_id + 1 FROM newest
        ) AS entry
    ) AS step
    WHERE id > id_before + 1 LIMIT %(gaps_max)s::integer + 1
),
journal_gap AS (
    SELECT int8range(id_before + 1, id) AS gap
    FROM (
        SELECT id, lag(id, 1, sealed.head) OVER (ORDER BY id) AS id_before
        FROM sealed JOIN ledger_journalentry ON id > sealed.head
    ) AS step
    WHERE id > id_before + 1 ORDER BY id DESC LIMIT %(gaps_max)s::integer
)
SELECT wanted.number, coalesce(sum(part.debits), 0) AS debits,
       coalesce(sum(part.credits), 0) AS credits,
       (SELECT entry_id FROM newest) AS last_entry_id,
       CASE
           WHEN NOT %(is_listing)s::boolean THEN NULL
           WHEN (SELECT count(*) FROM own_gap) <= %(gaps_max)s::integer
               THEN (SELECT range_agg(gap)::text FROM own_gap)
           ELSE (SELECT range_agg(gap)::text FROM journal_gap)
       END AS gaps
FROM wanted
CROSS JOIN sealed
CROSS JOIN LATERAL (
    SELECT kept.debits, kept.credits
    FROM ledger_accountbalance AS kept
    WHERE wanted.is_now AND kept.account_id = wanted.account_id
    UNION ALL
    SELECT sum(day.debits), sum(day.credits)
    FROM ledger_daytotal AS day
    WHERE NOT wanted.is_now AND day.account_id = wanted.account_id
        AND day.effective_on < wanted.effective_end::date
        AND day.posted_on < wanted.posted_end::date
    UNION ALL
    SELECT sum(posting.amount) FILTER (WHERE posting.direction = 'debit'),
           sum(posting.amount) FILTER (WHERE posting.direction = 'credit')
    FROM (
        -- Days posted on one day lie among each other: their entries are walked through once.
        SELECT day.posted_on, min(day.first_entry_id) AS first_entry_id,
               max(day.last_entry_id) AS last_entry_id
        FROM ledger_daytotal AS day
        WHERE NOT wanted.is_now AND day.account_id = wanted.account_id
            AND day.effective_on < wanted.effective_end AND day.posted_on < wanted.posted_end
            AND NOT (
                day.effective_on < wanted.effective_end::date
                AND day.posted_on < wanted.posted_end::date
            )
        GROUP BY day.posted_on
        UNION ALL
        SELECT NULL, sealed.head + 1, 9223372036854775807 WHERE NOT wanted.is_now
    ) AS stretch
    CROSS JOIN LATERAL (
        SELECT entry_id, direction, amount FROM ledger_posting
        WHERE account_id = wanted.account_id
            AND entry_id BETWEEN stretch.first_entry_id AND stretch.last_entry_id OFFSET 0
    ) AS posting
    CROSS JOIN LATERAL (
        SELECT effective_at, posted_at FROM ledger_journalentry
        WHERE id = posting.entry_id OFFSET 0
    ) AS entry
    WHERE entry.effective_at < wanted.effective_before AND entry.posted_at < wanted.posted_before
        AND (stretch.posted_on IS NULL OR (
            (entry.posted_at AT TIME ZONE 'UTC')::date = stretch.posted_on
            AND NOT (
                entry.effective_at AT TIME ZONE 'UTC' < wanted.effective_end::date
                AND stretch.posted_on < wanted.posted_end::date
            )
        ))
) AS part
GROUP BY wanted.number
ORDER BY wanted.number
