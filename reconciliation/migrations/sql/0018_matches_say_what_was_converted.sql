-- Which matches were converted, and that nobody changes it. One trigger keeps all that a match says.
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE reconciliation_match AS match SET is_converted = true
FROM reconciliation_statementline AS line
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
WHERE line.id = match.line_id AND account.currency <> coalesce(
    (SELECT currency FROM payments_payment WHERE id = match.payment_id),
    (SELECT currency FROM payments_refund WHERE id = match.refund_id)
);
CREATE OR REPLACE TRIGGER reconciliation_match_stays_as_it_is BEFORE UPDATE ON reconciliation_match
FOR EACH ROW WHEN (
    (old.id, old.run_id, old.kind, old.line_id, old.is_converted, old.payment_id, old.refund_id,
     old.dispute_id, old.won_dispute_id, old.processor_payout_id, old.payout_id)
        IS DISTINCT FROM
    (new.id, new.run_id, new.kind, new.line_id, new.is_converted, new.payment_id, new.refund_id,
     new.dispute_id, new.won_dispute_id, new.processor_payout_id, new.payout_id)
) EXECUTE FUNCTION ledger_refuse_change();
DROP TRIGGER reconciliation_won_dispute_stays ON reconciliation_match
