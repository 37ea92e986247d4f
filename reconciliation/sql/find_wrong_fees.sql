-- Fees of matched lines that are not posted exactly once, groups of them whose entry is not their sum, and
-- fees of undone matches that nobody took out of their group. Matches of a run under way may wait.
WITH fee AS MATERIALIZED (
    SELECT match.id AS match_id, line.id AS line_id, line.fee, run.finished_at IS NULL AS may_wait,
           false AS is_undone,
           (SELECT fees.id FROM reconciliation_feegroup AS fees
            WHERE fees.run_id = match.run_id AND fees.source_account_id = line.source_account_id
                AND fees.booked_on = line.booked_on
                AND match.id BETWEEN fees.first_match AND fees.last_match
            ORDER BY fees.last_match LIMIT 1) AS fee_group_id
    FROM reconciliation_match AS match
    JOIN reconciliation_statementline AS line ON line.id = match.line_id AND line.fee <> 0
    JOIN reconciliation_reconciliationrun AS run ON run.id = match.run_id
    WHERE match.kind NOT IN ('deposit', 'payout')
    UNION ALL
    SELECT undone.match_number, line.id, line.fee, false, true, undone.fee_group_id
    FROM reconciliation_undonematch AS undone
    JOIN reconciliation_statementline AS line ON line.id = undone.line_id
    WHERE undone.fee_group_id IS NOT NULL
),
posted_alone AS (
    SELECT split_part(entry.idempotency_key, ':', 2) AS line, count(*) AS times
    FROM ledger_journalentry AS entry
    WHERE entry.kind = 'processor_fee' AND NOT EXISTS (
        SELECT FROM ledger_journalentry AS reversal WHERE reversal.reverses_id = entry.id)
    GROUP BY line
),
fee_group AS (
    SELECT fees.*, account.ledger_account_id FROM reconciliation_feegroup AS fees
    JOIN reconciliation_sourceaccount AS account ON account.id = fees.source_account_id
),
kept AS (
    SELECT fee_group_id, count(*) AS match_count, sum(greatest(fee, 0)) AS charged,
           sum(greatest(-fee, 0)) AS given_back
    FROM fee GROUP BY fee_group_id
),
booked AS (
    SELECT fees.id AS fee_group_id, count(DISTINCT entry.id) AS times,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'credit'), 0) AS charged,
           coalesce(sum(posting.amount) FILTER (WHERE posting.direction = 'debit'), 0) AS given_back
    FROM fee_group AS fees
    JOIN ledger_journalentry AS entry
        ON entry.reference = fees.public_id AND entry.reverses_id IS NULL
    JOIN ledger_posting AS posting
        ON posting.entry_id = entry.id AND posting.account_id = fees.ledger_account_id
    GROUP BY fees.id
)
SELECT subject, problem
FROM (
    SELECT fees.public_id AS subject,
           'it was posted for ' || fees.match_count || ' matches, ' || fees.charged || ' and -'
               || fees.given_back || '; its matches are ' || coalesce(kept.match_count, 0) || ', '
               || coalesce(kept.charged, 0) || ' and -' || coalesce(kept.given_back, 0) AS problem
    FROM fee_group AS fees LEFT JOIN kept ON kept.fee_group_id = fees.id
    WHERE (kept.match_count, kept.charged, kept.given_back)
        IS DISTINCT FROM (fees.match_count, fees.charged, fees.given_back)
    UNION ALL
    SELECT fees.public_id,
           'its fees are ' || fees.charged || ' and -' || fees.given_back || ', '
               || coalesce(booked.times, 0) || ' entries say ' || coalesce(booked.charged, 0)
               || ' and -' || coalesce(booked.given_back, 0)
    FROM fee_group AS fees LEFT JOIN booked ON booked.fee_group_id = fees.id
    WHERE (booked.times, booked.charged, booked.given_back)
        IS DISTINCT FROM (1, fees.charged, fees.given_back)
    UNION ALL
    SELECT 'match_' || fee.match_id, 'its fee is posted ' || said.times || ' times'
    FROM fee
    LEFT JOIN posted_alone AS alone ON alone.line = 'stl_' || fee.line_id
    CROSS JOIN LATERAL (
        SELECT coalesce(alone.times, 0) + (fee.fee_group_id IS NOT NULL)::integer AS times
    ) AS said
    WHERE NOT fee.is_undone AND said.times <> 1 AND NOT (fee.may_wait AND said.times = 0)
    UNION ALL
    SELECT 'match_' || fee.match_id, 'it is undone, and its fee is still posted'
    FROM fee JOIN fee_group AS fees ON fees.id = fee.fee_group_id
    WHERE fee.is_undone AND NOT EXISTS (
        SELECT FROM ledger_journalentry AS entry
        JOIN ledger_posting AS posting
            ON posting.entry_id = entry.id AND posting.account_id = fees.ledger_account_id
        WHERE entry.idempotency_key = 'processor_fee_undone:match_' || fee.match_id
            AND CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END
                = fee.fee
    ) AND NOT EXISTS (
        SELECT FROM ledger_journalentry AS entry
        WHERE entry.reference = fees.public_id AND entry.reverses_id IS NOT NULL)
) AS breach
ORDER BY subject LIMIT 20
