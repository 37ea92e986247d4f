DROP TRIGGER ledger_balance_floor ON ledger_accountbalance;
DROP FUNCTION ledger_check_floor();
DROP TRIGGER ledger_entry_complete ON ledger_journalentry;
DROP FUNCTION ledger_check_entries();
DROP TRIGGER ledger_entry_balances ON ledger_posting;
DROP FUNCTION ledger_check_postings();
DROP TRIGGER ledger_append_only ON ledger_posting;
DROP TRIGGER ledger_append_only ON ledger_journalentry;
DROP FUNCTION ledger_refuse_change();
