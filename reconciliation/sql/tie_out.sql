-- Hold our book of one account against what its source says, matter by matter, up to the end of a day
-- and as known at a moment. What does not cancel out is an open item; they add up to the difference.
WITH booked AS (
    SELECT entry.reference AS matter,
           sum(CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END)
               ::bigint AS effect
    FROM ledger_posting AS posting JOIN ledger_journalentry AS entry ON entry.id = posting.entry_id
    WHERE posting.account_id = %(account_id)s
        AND entry.effective_at < %(end_of_day)s AND entry.posted_at <= %(known_at)s
    GROUP BY entry.reference
),
stated AS (
    SELECT matter, sum(net)::bigint AS effect, min(line_name) AS line_name, max(booked_on) AS booked_on
    FROM (
        SELECT line.net, line.booked_on,
               coalesce(nullif(line.external_id, ''), 'stl_' || line.id) AS line_name,
               CASE
                   WHEN line.kind = 'entry' THEN 'stl_' || line.id
                   WHEN line.kind = 'payout' THEN 'payout:' || line.id
                   ELSE coalesce(payment.public_id, refund.public_id, dispute.public_id,
                                 'stl_' || line.id)
               END AS matter
        FROM reconciliation_statementline AS line
        JOIN reconciliation_statementfile AS file
            ON file.id = line.file_id
                AND coalesce(line.corrected_at, file.loaded_at) <= %(known_at)s
        LEFT JOIN reconciliation_matchline AS part
            ON part.line_id = line.id AND line.kind <> 'entry'
        LEFT JOIN reconciliation_match AS match
            ON match.id = part.match_id AND match.created_at <= %(known_at)s
        LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
        LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
        LEFT JOIN payments_dispute AS dispute ON dispute.id = match.dispute_id
        WHERE line.source_account_id = %(source_account_id)s AND line.booked_on <= %(day)s
        UNION ALL
        SELECT %(opening)s::bigint, NULL, NULL, 'opening'
    ) AS line
    GROUP BY matter
)
SELECT matter, coalesce(booked.effect, 0) AS booked, coalesce(stated.effect, 0) AS stated,
       coalesce(booked.effect, 0) - coalesce(stated.effect, 0) AS effect,
       stated.line_name, stated.booked_on,
       coalesce(payment.reference, refund.reference, dispute.reference) AS reference
FROM booked FULL JOIN stated USING (matter)
LEFT JOIN payments_payment AS payment ON payment.public_id = matter
LEFT JOIN payments_refund AS refund ON refund.public_id = matter
LEFT JOIN payments_dispute AS dispute ON dispute.public_id = matter
WHERE coalesce(booked.effect, 0) <> coalesce(stated.effect, 0)
ORDER BY abs(coalesce(booked.effect, 0) - coalesce(stated.effect, 0)) DESC, matter
