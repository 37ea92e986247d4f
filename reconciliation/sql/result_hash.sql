-- One hash over everything a run found, told by names, so that the same inputs give the same hash.
WITH finding AS (
    SELECT concat_ws('|', match.kind, match.rule, match.rule_version, account.identifier,
                     account.currency, line.identity, line.occurrence, match.amount,
                     payment.reference, refund.reference, arrived.external_id) AS said
    FROM reconciliation_match AS match
    JOIN reconciliation_statementline AS line ON line.id = match.line_id
    JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
    LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
    LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
    LEFT JOIN reconciliation_processorpayout AS arrived ON arrived.id = match.processor_payout_id
    WHERE match.run_id = %(run_id)s
    UNION ALL
    SELECT concat_ws('|', type, reference, currency, amount, expected, actual)
    FROM reconciliation_discrepancy WHERE opened_by_id = %(run_id)s
)
SELECT encode(sha256(convert_to(coalesce(string_agg(digest, '' ORDER BY digest COLLATE "C"), ''), 'UTF8')),
              'hex') AS hash
FROM (SELECT md5(said) AS digest FROM finding) AS hashed
