-- Dispute lines without a match, with the payment of the same gateway whose reference they carry.
SELECT line.id AS line_id, payment.id AS payment_id,
       (line.merchant = merchant.code OR line.merchant LIKE '%%\_' || merchant.code) AS agrees
FROM reconciliation_statementline AS line
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
LEFT JOIN payments_payment AS payment
    ON payment.gateway_id = %(gateway_id)s AND payment.reference = line.reference
        AND payment.status = 'SUCCEEDED'
LEFT JOIN payments_merchant AS merchant ON merchant.id = payment.merchant_id
WHERE account.source_id = %(source_id)s AND line.kind = 'dispute' AND line.booked_on <= %(as_of)s
    AND NOT EXISTS (SELECT FROM reconciliation_matchline AS part WHERE part.line_id = line.id)
ORDER BY line.id, payment.id
