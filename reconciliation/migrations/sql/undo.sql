-- Takes back what the files beside this one made and the deletion of the tables does not: also what
-- they put on the tables of other apps.
DROP TABLE reconciliation_stagedline, reconciliation_stagedrejection, reconciliation_undoneending;
DROP FUNCTION reconciliation_refuse_change, reconciliation_freeze_sign_off,
    reconciliation_keep_undone_ending, reconciliation_check_lines, reconciliation_check_matches,
    reconciliation_check_findings, reconciliation_keep_what_is_used CASCADE;
DROP TRIGGER reconciliation_key_stays ON payments_payment;
DROP TRIGGER reconciliation_key_stays ON payments_refund;
DROP TRIGGER reconciliation_key_stays ON payments_dispute;
DROP TRIGGER reconciliation_key_stays ON settlements_payout;
