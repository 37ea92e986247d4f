-- By how much each of some discrepancies keeps our books and a statement apart, by ledger account and
-- matter, as of now: what we booked about it, less what the statement says about it.
WITH asked AS (
    SELECT finding.*, line.source_account_id AS line_account_id, line.kind AS line_kind,
           line.net AS line_net,
           coalesce(refund.public_id, payment.public_id, dispute.public_id) AS subject
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
                   SELECT FROM reconciliation_matchline AS part WHERE part.line_id = asked.line_id)
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
               coalesce(sum(part.amount), 0) AS arrived
        FROM reconciliation_processorpayout AS each
        LEFT JOIN reconciliation_match AS match ON match.processor_payout_id = each.id
        LEFT JOIN reconciliation_matchline AS part ON part.match_id = match.id
        WHERE CASE WHEN asked.line_id IS NULL THEN each.id = payout.id ELSE each.id IN (
            SELECT processor_payout_id
            FROM reconciliation_matchline AS used
            JOIN reconciliation_match AS arrival ON arrival.id = used.match_id
            WHERE used.line_id = asked.line_id) END
    ) AS sent
    WHERE asked.type = ANY(%(in_transit)s::text[])
),
about_a_subject AS (
    -- Of a payment, refund or dispute, on every account of its source that it may be off on.
    SELECT asked.id, account.ledger_account_id AS account_id, subject AS matter,
           ARRAY[subject] AS matters,
           coalesce((
               SELECT sum(line.net)
               FROM reconciliation_match AS match
               JOIN reconciliation_matchline AS part ON part.match_id = match.id
               JOIN reconciliation_statementline AS line ON line.id = part.line_id
               WHERE line.source_account_id = account.id AND CASE
                   WHEN asked.refund_id IS NOT NULL THEN match.refund_id = asked.refund_id
                   WHEN asked.payment_id IS NOT NULL THEN match.payment_id = asked.payment_id
                   ELSE match.dispute_id = asked.dispute_id END
           ), 0) AS stated
    FROM asked JOIN reconciliation_sourceaccount AS account ON account.source_id = asked.source_id
    WHERE subject IS NOT NULL
        AND NOT asked.type = ANY(%(about_a_line)s::text[]) AND NOT asked.type = ANY(%(in_transit)s::text[])
),
part AS (
    SELECT * FROM about_a_line
    UNION ALL SELECT * FROM in_transit
    UNION ALL SELECT * FROM about_a_subject
)
SELECT part.id, part.account_id, part.matter, (booked.amount - part.stated)::bigint AS effect
FROM part
CROSS JOIN LATERAL (
    SELECT coalesce(
        sum(CASE posting.direction WHEN 'debit' THEN posting.amount ELSE -posting.amount END), 0
    ) AS amount
    FROM ledger_journalentry AS entry
    JOIN ledger_posting AS posting
        ON posting.entry_id = entry.id AND posting.account_id = part.account_id
    WHERE entry.reference = ANY(part.matters)
) AS booked
WHERE booked.amount <> part.stated
ORDER BY part.id, part.account_id
