DROP TRIGGER ledger_change_is_decided ON ledger_changerequest;
DROP TRIGGER ledger_change_is_fixed ON ledger_changerequest;
DROP TRIGGER ledger_append_only ON ledger_auditseal;
