-- What keeps an account's book and statement apart at the end of a day, matter by matter, with its age and
-- type, exactly as it was known at a moment: what was posted, loaded, matched or undone later is not in it.
WITH known AS (
    SELECT line.id, line.kind, line.net, line.booked_on, line.external_id
    FROM reconciliation_statementline AS line
    JOIN reconciliation_statementfile AS file ON file.id = line.file_id
    WHERE line.source_account_id = %(source_account_id)s::bigint
        AND line.booked_on <= %(day)s::date
        AND coalesce(line.corrected_at, file.loaded_at) <= %(known_at)s::timestamptz
),
part AS MATERIALIZED (
    SELECT match.line_id, match.amount, line.fee,
           coalesce(payment.public_id, refund.public_id, dispute.public_id) AS matter,
           match.created_at <= %(known_at)s::timestamptz AS is_known,
           (SELECT id FROM reconciliation_feegroup AS fees
            WHERE fees.run_id = match.run_id AND fees.source_account_id = line.source_account_id
                AND fees.booked_on = line.booked_on AND line.fee <> 0
                AND match.id BETWEEN fees.first_match AND fees.last_match
            ORDER BY fees.last_match LIMIT 1) AS fee_group_id
    FROM reconciliation_statementline AS line
    JOIN reconciliation_match AS match ON match.line_id = line.id
    LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
    LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
    LEFT JOIN payments_dispute AS dispute
        ON dispute.id = coalesce(match.dispute_id, match.won_dispute_id)
    WHERE line.source_account_id = %(source_account_id)s::bigint
    UNION ALL
    SELECT undone.line_id, undone.amount, line.fee,
           coalesce(payment.public_id, refund.public_id, dispute.public_id),
           undone.matched_at <= %(known_at)s::timestamptz
               AND undone.undone_at > %(known_at)s::timestamptz,
           undone.fee_group_id
    FROM reconciliation_undonematch AS undone
    JOIN reconciliation_statementline AS line ON line.id = undone.line_id
    LEFT JOIN payments_payment AS payment
        ON undone.kind = 'payment' AND payment.id = undone.subject_id
    LEFT JOIN payments_refund AS refund ON undone.kind = 'refund' AND refund.id = undone.subject_id
    LEFT JOIN payments_dispute AS dispute
        ON undone.kind IN ('dispute', 'won_dispute') AND dispute.id = undone.subject_id
    WHERE line.source_account_id = %(source_account_id)s::bigint
),
booked AS (
    SELECT matter, sum(effect)::bigint AS effect,
           min((effective_at AT TIME ZONE %(zone)s::text)::date) AS since
    FROM (
        SELECT entry.reference AS matter, entry.effective_at,
               CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END
                   AS effect
        FROM ledger_posting AS posting
        JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
        WHERE posting.account_id = %(account_id)s::bigint
            AND entry.effective_at < %(end_of_day)s::timestamptz
            AND entry.posted_at <= %(known_at)s::timestamptz
            AND NOT EXISTS (
                SELECT FROM reconciliation_feegroup AS fees WHERE fees.public_id = entry.reference)
        UNION ALL
        -- What one entry says for many matches, or takes back, counts to the matter of each.
        SELECT part.matter, entry.effective_at,
               CASE WHEN entry.reverses_id IS NULL THEN -part.fee ELSE part.fee END
        FROM reconciliation_feegroup AS fees
        JOIN ledger_journalentry AS entry ON entry.reference = fees.public_id
        JOIN part ON part.fee_group_id = fees.id
        WHERE fees.source_account_id = %(source_account_id)s::bigint
            AND entry.effective_at < %(end_of_day)s::timestamptz
            AND entry.posted_at <= %(known_at)s::timestamptz
    ) AS posted
    GROUP BY matter
),
stated AS (
    SELECT matter, sum(net)::bigint AS effect, min(line_name) AS line_name, min(booked_on) AS since
    FROM (
        SELECT coalesce(part.amount, line.net) AS net, line.booked_on,
               coalesce(nullif(line.external_id, ''), 'stl_' || line.id) AS line_name,
               CASE
                   WHEN line.kind = 'entry' THEN 'stl_' || line.id
                   WHEN line.kind = 'payout' THEN 'payout:' || line.id
                   ELSE coalesce(part.matter, 'stl_' || line.id)
               END AS matter
        FROM known AS line
        LEFT JOIN part ON part.line_id = line.id AND part.is_known AND line.kind <> 'entry'
        UNION ALL
        SELECT line.net - sum(part.amount), line.booked_on, 'stl_' || line.id, 'stl_' || line.id
        FROM known AS line JOIN part ON part.line_id = line.id AND part.is_known
        WHERE line.kind <> 'entry'
        GROUP BY line.id, line.net, line.booked_on
        HAVING line.net <> sum(part.amount)
        UNION ALL
        SELECT %(opening)s::bigint, NULL, NULL, 'opening'
    ) AS line
    GROUP BY matter
)
SELECT matter, coalesce(booked.effect, 0) AS booked, coalesce(stated.effect, 0) AS stated,
       coalesce(payment.reference, refund.reference, dispute.reference, '') AS reference,
       coalesce(stated.line_name, '') AS line_name, least(booked.since, stated.since) AS since,
       coalesce(finding.types, '') AS types
FROM booked FULL JOIN stated USING (matter)
LEFT JOIN payments_payment AS payment ON payment.public_id = matter
LEFT JOIN payments_refund AS refund ON refund.public_id = matter
LEFT JOIN payments_dispute AS dispute ON dispute.public_id = matter
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT type, ' ' ORDER BY type) AS types
    FROM reconciliation_discrepancy AS finding
    WHERE finding.source_id = %(source_id)s::bigint
        AND finding.opened_at <= %(known_at)s::timestamptz
        AND (finding.resolved_at IS NULL OR finding.resolved_at > %(known_at)s::timestamptz)
        AND NOT EXISTS (
            SELECT FROM reconciliation_undoneending AS ended
            WHERE ended.discrepancy_id = finding.id
                AND ended.resolved_at <= %(known_at)s::timestamptz
                AND ended.undone_at > %(known_at)s::timestamptz)
        AND (finding.payment_id = payment.id OR finding.refund_id = refund.id
            OR finding.line_id = substring(matter FROM '^(?:stl_|payout:)([0-9]+)$')::bigint)
) AS finding ON true
WHERE coalesce(booked.effect, 0) <> coalesce(stated.effect, 0)
ORDER BY abs(coalesce(booked.effect, 0) - coalesce(stated.effect, 0)) DESC, matter
