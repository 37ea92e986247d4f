-- By how much each of some discrepancies keeps our books and a statement apart, by ledger account and
-- matter, as of now: what we booked about it, less what the statement says about it.
WITH asked AS (
    SELECT finding.*, line.source_account_id AS line_account_id, line.kind AS line_kind,
           line.net AS line_net,
           coalesce(refund.public_id, payment.public_id, dispute.public_id) AS subject,
           CASE WHEN finding.refund_id IS NOT NULL THEN 'refund'
                WHEN finding.payment_id IS NOT NULL THEN 'payment'
                WHEN finding.dispute_id IS NOT NULL THEN 'dispute' END AS subject_kind,
           coalesce(finding.refund_id, finding.payment_id, finding.dispute_id) AS subject_id
    FROM reconciliation_discrepancy AS finding
    LEFT JOIN reconciliation_statementline AS line ON line.id = finding.line_id
    LEFT JOIN payments_payment AS payment ON payment.id = finding.payment_id
    LEFT JOIN payments_refund AS refund ON refund.id = finding.refund_id
    LEFT JOIN payments_dispute AS dispute ON dispute.id = finding.dispute_id
    WHERE finding.id = ANY(%(ids)s::bigint[]) AND NOT finding.type = ANY(%(posted)s::text[])
),
about_a_line AS (
    -- A matched line of a processor counts with what it was matched to, one of a bank by itself.
    SELECT asked.id, account.ledger_account_id AS account_id, 'stl_' || asked.line_id AS matter,
           ARRAY['stl_' || asked.line_id] AS matters,
           CASE WHEN line_kind <> 'entry' AND EXISTS (
                   SELECT FROM reconciliation_match AS part WHERE part.line_id = asked.line_id)
               THEN 0 ELSE line_net END AS stated
    FROM asked JOIN reconciliation_sourceaccount AS account ON account.id = line_account_id
    WHERE asked.type = ANY(%(about_a_line)s::text[])
),
in_transit AS (
    -- Several payouts may have arrived as the one deposit that the discrepancy is about.
    SELECT asked.id, account.id AS account_id, 'payout:' || payout.line_id AS matter,
           sent.matters, sent.arrived AS stated
    FROM asked
    JOIN reconciliation_processorpayout AS payout ON payout.id = asked.processor_payout_id
    JOIN reconciliation_sourceaccount AS reported ON reported.id = payout.source_account_id
    JOIN reconciliation_source AS source ON source.id = reported.source_id
    JOIN payments_gateway AS gateway ON gateway.id = source.gateway_id
    JOIN ledger_account AS account
        ON account.code = 'deposits:in_transit:' || gateway.code || ':' || payout.currency
            AND account.owner = ''
    CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT 'payout:' || each.line_id) AS matters,
               coalesce(sum(match.amount), 0) AS arrived
        FROM reconciliation_processorpayout AS each
        LEFT JOIN reconciliation_match AS match ON match.processor_payout_id = each.id
        WHERE CASE WHEN asked.line_id IS NULL THEN each.id = payout.id ELSE each.id IN (
            SELECT processor_payout_id FROM reconciliation_match AS used
            WHERE used.line_id = asked.line_id) END
    ) AS sent
    WHERE asked.type = ANY(%(in_transit)s::text[])
),
own_payout AS (
    -- What we told a bank to pay is on its way until one of its lines shows it.
    SELECT asked.id, account.id AS account_id, payout.public_id AS matter,
           ARRAY[payout.public_id] AS matters,
           coalesce((
               SELECT sum(amount) FROM reconciliation_match WHERE payout_id = payout.id), 0) AS stated
    FROM asked
    JOIN settlements_payout AS payout ON payout.id = asked.payout_id
    JOIN ledger_account AS account
        ON account.code = 'payouts:in_transit:' || payout.currency AND account.owner = ''
),
matched AS (
    SELECT asked.id, match.id AS match_id, match.run_id, match.line_id
    FROM asked JOIN reconciliation_match AS match ON match.payment_id = asked.subject_id
    WHERE asked.subject_kind = 'payment'
    UNION ALL
    SELECT asked.id, match.id, match.run_id, match.line_id
    FROM asked JOIN reconciliation_match AS match ON match.refund_id = asked.subject_id
    WHERE asked.subject_kind = 'refund'
    UNION ALL
    SELECT asked.id, match.id, match.run_id, match.line_id
    FROM asked JOIN reconciliation_match AS match ON match.dispute_id = asked.subject_id
    WHERE asked.subject_kind = 'dispute'
    UNION ALL
    SELECT asked.id, match.id, match.run_id, match.line_id
    FROM asked JOIN reconciliation_match AS match ON match.won_dispute_id = asked.subject_id
    WHERE asked.subject_kind = 'dispute'
),
reported AS (
    -- Of its lines what they say, and in which group the fee of each was posted with others'.
    SELECT matched.id, line.source_account_id, line.net, line.fee,
           (SELECT fees.id FROM reconciliation_feegroup AS fees
            WHERE fees.run_id = matched.run_id AND fees.source_account_id = line.source_account_id
                AND fees.booked_on = line.booked_on AND line.fee <> 0
                AND matched.match_id BETWEEN fees.first_match AND fees.last_match
            ORDER BY fees.last_match LIMIT 1) AS fee_group_id
    FROM matched JOIN reconciliation_statementline AS line ON line.id = matched.line_id
    UNION ALL
    SELECT asked.id, line.source_account_id, 0, line.fee, undone.fee_group_id
    FROM asked
    JOIN reconciliation_undonematch AS undone
        ON undone.kind IN (asked.subject_kind, 'won_' || asked.subject_kind)
            AND undone.subject_id = asked.subject_id
    JOIN reconciliation_statementline AS line ON line.id = undone.line_id
),
about_a_subject AS (
    -- Of a payment, refund or dispute, on every account of its source that it may be off on.
    SELECT asked.id, account.ledger_account_id AS account_id, subject AS matter,
           ARRAY[subject] AS matters,
           coalesce((
               SELECT sum(reported.net) FROM reported
               WHERE (reported.id, reported.source_account_id) = (asked.id, account.id)
           ), 0) AS stated
    FROM asked JOIN reconciliation_sourceaccount AS account ON account.source_id = asked.source_id
    WHERE subject IS NOT NULL
        AND NOT asked.type = ANY(%(about_a_line)s::text[]) AND NOT asked.type = ANY(%(in_transit)s::text[])
),
part AS (
    SELECT * FROM about_a_line
    UNION ALL SELECT * FROM in_transit
    UNION ALL SELECT * FROM own_payout
    UNION ALL SELECT * FROM about_a_subject
),
posted AS (
    SELECT part.id, part.account_id,
           CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END AS amount
    FROM part
    JOIN ledger_journalentry AS entry ON entry.reference = ANY(part.matters)
    JOIN ledger_posting AS posting
        ON posting.entry_id = entry.id AND posting.account_id = part.account_id
    UNION ALL
    SELECT part.id, part.account_id,
           CASE WHEN entry.reverses_id IS NULL THEN -reported.fee ELSE reported.fee END
    FROM about_a_subject AS part
    JOIN reported ON reported.id = part.id
    JOIN reconciliation_sourceaccount AS account
        ON account.id = reported.source_account_id AND account.ledger_account_id = part.account_id
    JOIN reconciliation_feegroup AS fees ON fees.id = reported.fee_group_id
    JOIN ledger_journalentry AS entry ON entry.reference = fees.public_id
),
booked AS (
    SELECT id, account_id, sum(amount) AS amount FROM posted GROUP BY id, account_id
)
SELECT part.id, part.account_id, part.matter,
       (coalesce(booked.amount, 0) - part.stated)::bigint AS effect
FROM part LEFT JOIN booked USING (id, account_id)
WHERE coalesce(booked.amount, 0) <> part.stated
ORDER BY part.id, part.account_id
