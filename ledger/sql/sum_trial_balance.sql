-- Debits and credits per currency or per account, of what took effect and was posted before two
-- moments. Months that lie before both moments come from their totals, the days after them from
-- theirs. Entries themselves are only looked at, by index, where a moment cuts through a day, and
-- behind the last seal. All accounts are added up in one walk.
WITH stretch AS (
    SELECT posted_on, min(first_entry_id) AS first_entry_id, max(last_entry_id) AS last_entry_id
    FROM (
        SELECT posted_on, first_entry_id, last_entry_id
        FROM ledger_daytotal
        WHERE effective_on = (%(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
            AND effective_on < %(effective_before)s::timestamptz AT TIME ZONE 'UTC'
            AND posted_on < %(posted_before)s::timestamptz AT TIME ZONE 'UTC'
        UNION ALL
        SELECT posted_on, first_entry_id, last_entry_id
        FROM ledger_daytotal
        WHERE posted_on = (%(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
            AND posted_on < %(posted_before)s::timestamptz AT TIME ZONE 'UTC'
            AND effective_on < (%(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
    ) AS cut
    GROUP BY posted_on
    UNION ALL
    SELECT NULL, coalesce(max(last_entry_id), 0) + 1, 9223372036854775807 FROM ledger_seal
),
whole AS (
    SELECT account_id, debits, credits
    FROM ledger_monthtotal
    WHERE effective_month
            < date_trunc('month', %(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND posted_month
            < date_trunc('month', %(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT account_id, debits, credits
    FROM ledger_daytotal
    WHERE effective_on
            >= date_trunc('month', %(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND effective_on < (%(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND posted_on < (%(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT account_id, debits, credits
    FROM ledger_daytotal
    WHERE posted_on >= date_trunc('month', %(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND posted_on < (%(posted_before)s::timestamptz AT TIME ZONE 'UTC')::date
        AND effective_on
            < date_trunc('month', %(effective_before)s::timestamptz AT TIME ZONE 'UTC')::date
),
part AS (
    SELECT account_id, debits, credits
    FROM ledger_accountbalance
    WHERE %(is_now)s::boolean
    UNION ALL
    SELECT account_id, sum(debits), sum(credits)
    FROM whole
    WHERE NOT %(is_now)s::boolean
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
