-- Debits and credits per currency or per account, of what took effect and was posted before two
-- moments. Found as sum_balances.sql finds them, but for all accounts in one walk.
WITH stretch AS (
    SELECT posted_on, min(first_entry_id) AS first_entry_id, max(last_entry_id) AS last_entry_id
    FROM ledger_daytotal
    WHERE effective_on < %(effective_before)s::timestamptz AT TIME ZONE 'UTC'
        AND posted_on < %(posted_before)s::timestamptz AT TIME ZONE 'UTC'
        AND NOT (
            effective_on < (%(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
            AND posted_on < (%(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
        )
    GROUP BY posted_on
    UNION ALL
    SELECT NULL, coalesce(max(last_entry_id), 0) + 1, 9223372036854775807 FROM ledger_seal
),
part AS (
    SELECT account_id, debits, credits
    FROM ledger_accountbalance
    WHERE %(is_now)s::boolean
    UNION ALL
    SELECT account_id, sum(debits), sum(credits)
    FROM ledger_daytotal
    WHERE NOT %(is_now)s::boolean
        AND effective_on < (%(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND posted_on < (%(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
    GROUP BY account_id
    UNION ALL
    SELECT posting.account_id,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'debit'), 0),
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'credit'), 0)
    FROM stretch
    CROSS JOIN LATERAL (
        SELECT id, effective_at, posted_at FROM ledger_journalentry
        WHERE id BETWEEN stretch.first_entry_id AND stretch.last_entry_id OFFSET 0
    ) AS entry
    CROSS JOIN LATERAL (
        SELECT account_id, direction, amount FROM ledger_posting
        WHERE entry_id = entry.id OFFSET 0
    ) AS posting
    WHERE NOT %(is_now)s::boolean
        AND entry.effective_at < %(effective_before)s::timestamptz
        AND entry.posted_at < %(posted_before)s::timestamptz
        AND (stretch.posted_on IS NULL OR (
            (entry.posted_at AT TIME ZONE 'UTC')::date = stretch.posted_on
            AND NOT (
                entry.effective_at AT TIME ZONE 'UTC'
                    < (%(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
                AND stretch.posted_on < (%(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
            )
        ))
    GROUP BY posting.account_id
),
moved AS (
    SELECT account_id, sum(debits) AS debits, sum(credits) AS credits
    FROM part
    WHERE debits > 0 OR credits > 0
    GROUP BY account_id
),
total AS (
    SELECT account.currency,
           CASE WHEN %(is_per_account)s::boolean THEN account.id END AS account_id,
           count(*) AS accounts, sum(moved.debits) AS debits, sum(moved.credits) AS credits
    FROM moved JOIN ledger_account AS account ON account.id = moved.account_id
    GROUP BY 1, 2
)
SELECT total.currency, total.accounts, total.debits, total.credits,
       account.owner, account.code, account.name, account.type
FROM total LEFT JOIN ledger_account AS account ON account.id = total.account_id
ORDER BY total.currency, account.owner, account.code
