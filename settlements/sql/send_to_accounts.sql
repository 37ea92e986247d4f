-- Say of many payouts at once which bank account each goes to.
UPDATE settlements_payout AS payout
SET bank_account_id = chosen.bank_account_id
FROM unnest(%(payout_ids)s::bigint[], %(bank_account_ids)s::bigint[])
    AS chosen (payout_id, bank_account_id)
WHERE payout.id = chosen.payout_id
