-- Add the postings of a sealed block to the totals of the days they took effect and were posted on,
-- and to those of the months. OFFSET 0 has the postings of each entry found by index, even if the
-- planner was told of tables that were empty then.
WITH posted AS MATERIALIZED (
    SELECT posting.account_id,
           (entry.effective_at AT TIME ZONE 'UTC')::date AS effective_on,
           (entry.posted_at AT TIME ZONE 'UTC')::date AS posted_on,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'debit'), 0) AS debits,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'credit'), 0) AS credits,
           min(entry.id) AS first_entry_id,
           max(entry.id) AS last_entry_id
    FROM ledger_journalentry AS entry
    CROSS JOIN LATERAL (
        SELECT account_id, direction, amount FROM ledger_posting
        WHERE entry_id = entry.id OFFSET 0
    ) AS posting
    WHERE entry.id BETWEEN %(first_entry_id)s::bigint AND %(last_entry_id)s::bigint
    GROUP BY 1, 2, 3
),
by_month AS (
    INSERT INTO ledger_monthtotal AS kept (
        account_id, effective_month, posted_month, debits, credits
    )
    SELECT account_id, date_trunc('month', effective_on::timestamp)::date,
           date_trunc('month', posted_on::timestamp)::date, sum(debits), sum(credits)
    FROM posted
    GROUP BY 1, 2, 3
    ON CONFLICT (account_id, effective_month, posted_month) DO UPDATE
    SET debits = kept.debits + excluded.debits, credits = kept.credits + excluded.credits
)
INSERT INTO ledger_daytotal AS kept (
    account_id, effective_on, posted_on, debits, credits, first_entry_id, last_entry_id
)
SELECT account_id, effective_on, posted_on, debits, credits, first_entry_id, last_entry_id
FROM posted
ON CONFLICT (account_id, effective_on, posted_on) DO UPDATE
SET debits = kept.debits + excluded.debits,
    credits = kept.credits + excluded.credits,
    first_entry_id = least(kept.first_entry_id, excluded.first_entry_id),
    last_entry_id = greatest(kept.last_entry_id, excluded.last_entry_id)
