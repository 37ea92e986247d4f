-- Add a batch to the running totals and take what it releases off the pending ones: the last thing
-- it does, so that others wait for no more than this. Written as an upsert because that takes its
-- rows, all of which exist, in the order given.
INSERT INTO ledger_accountbalance AS balance (
    account_id, debits, credits, pending_debits, pending_credits
)
SELECT * FROM unnest(
    %(account_ids)s::bigint[], %(debits)s::bigint[], %(credits)s::bigint[],
    %(released_debits)s::bigint[], %(released_credits)s::bigint[]
)
ON CONFLICT (account_id) DO UPDATE
SET debits = balance.debits + excluded.debits,
    credits = balance.credits + excluded.credits,
    pending_debits = balance.pending_debits - excluded.pending_debits,
    pending_credits = balance.pending_credits - excluded.pending_credits
