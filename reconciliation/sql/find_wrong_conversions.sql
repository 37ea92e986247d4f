-- Matches that say of the processor's conversion what is not so: then its entry is missing, or one too many.
SELECT 'match_' || match.id AS subject,
       CASE WHEN is_converted THEN 'it says that the processor converted, and it did not'
            ELSE 'the processor converted, and it does not say so' END AS problem
FROM reconciliation_match AS match
JOIN reconciliation_statementline AS line ON line.id = match.line_id
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
LEFT JOIN payments_payment AS payment ON payment.id = match.payment_id
LEFT JOIN payments_refund AS refund ON refund.id = match.refund_id
WHERE is_converted <> coalesce(coalesce(payment.currency, refund.currency) <> account.currency, false)
ORDER BY match.id LIMIT 20
