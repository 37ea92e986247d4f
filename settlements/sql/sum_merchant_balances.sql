-- A merchant's money per currency, minor units, in one snapshot: where each part of it is now.
-- Payments that wait for their outcome are due, so the index of due rows finds them.
SELECT
    currency,
    sum(available)::bigint AS available,
    sum(pending)::bigint AS pending,
    sum(reserve)::bigint AS reserve,
    sum(in_transit)::bigint AS in_transit
FROM (
    SELECT currency, credits - debits - pending_debits, 0, 0, 0
    FROM ledger_account
    JOIN ledger_accountbalance ON account_id = ledger_account.id
    WHERE owner = %(owner)s::text AND starts_with(code, %(payable)s::text)
    UNION ALL
    SELECT currency, 0, 0, credits - debits, 0
    FROM ledger_account
    JOIN ledger_accountbalance ON account_id = ledger_account.id
    WHERE owner = %(owner)s::text AND starts_with(code, %(reserve)s::text)
    UNION ALL
    SELECT currency, 0, amount, 0, 0
    FROM payments_payment
    WHERE
        merchant_id = %(merchant_id)s::bigint
        AND status IN ('PENDING', 'PROCESSING')
        AND due_at IS NOT NULL
    UNION ALL
    SELECT currency, 0, 0, 0, amount
    FROM settlements_payout
    WHERE
        merchant_id = %(merchant_id)s::bigint
        AND status IN ('PENDING_APPROVAL', 'APPROVED', 'SENT')
) AS part (currency, available, pending, reserve, in_transit)
GROUP BY currency
ORDER BY currency
