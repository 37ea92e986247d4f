-- What keeps an account's book and statement apart at the end of a day, matter by matter, with its age and
-- type, exactly as it was known at a moment: what was posted, loaded, matched or undone later is not in it.
WITH booked AS (
    SELECT entry.reference AS matter,
           sum(CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END)
               ::bigint AS effect,
           min((entry.effective_at AT TIME ZONE %(zone)s::text)::date) AS since
    FROM ledger_posting AS posting JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
    WHERE posting.account_id = %(account_id)s::bigint
        AND entry.effective_at < %(end_of_day)s::timestamptz
        AND entry.posted_at <= %(known_at)s::timestamptz
    GROUP BY entry.reference
),
known AS (
    SELECT line.id, line.kind, line.net, line.booked_on, line.external_id
    FROM reconciliation_statementline AS line
    JOIN reconciliation_statementfile AS file ON file.id = line.file_id
    WHERE line.source_account_id = %(source_account_id)s::bigint
        AND line.booked_on <= %(day)s::date
        AND coalesce(line.corrected_at, file.loaded_at) <= %(known_at)s::timestamptz
),
part AS (
    SELECT part.line_id, part.amount, match.payment_id, match.refund_id, match.dispute_id
    FROM reconciliation_statementline AS line
    JOIN reconciliation_matchline AS part ON part.line_id = line.id
    JOIN reconciliation_match AS match ON match.id = part.match_id
    WHERE line.source_account_id = %(source_account_id)s::bigint
        AND match.created_at <= %(known_at)s::timestamptz
    UNION ALL
    SELECT line_id, amount, CASE kind WHEN 'payment' THEN subject_id END,
           CASE kind WHEN 'refund' THEN subject_id END, CASE kind WHEN 'dispute' THEN subject_id END
    FROM reconciliation_undonematch
    WHERE matched_at <= %(known_at)s::timestamptz AND undone_at > %(known_at)s::timestamptz
),
stated AS (
    SELECT matter, sum(net)::bigint AS effect, min(line_name) AS line_name, min(booked_on) AS since
    FROM (
        SELECT coalesce(part.amount, line.net) AS net, line.booked_on,
               coalesce(nullif(line.external_id, ''), 'stl_' || line.id) AS line_name,
               CASE
                   WHEN line.kind = 'entry' THEN 'stl_' || line.id
                   WHEN line.kind = 'payout' THEN 'payout:' || line.id
                   ELSE coalesce(payment.public_id, refund.public_id, dispute.public_id,
                                 'stl_' || line.id)
               END AS matter
        FROM known AS line
        LEFT JOIN part ON part.line_id = line.id AND line.kind <> 'entry'
        LEFT JOIN payments_payment AS payment ON payment.id = part.payment_id
        LEFT JOIN payments_refund AS refund ON refund.id = part.refund_id
        LEFT JOIN payments_dispute AS dispute ON dispute.id = part.dispute_id
        UNION ALL
        SELECT line.net - sum(part.amount), line.booked_on, 'stl_' || line.id, 'stl_' || line.id
        FROM known AS line JOIN part ON part.line_id = line.id
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
