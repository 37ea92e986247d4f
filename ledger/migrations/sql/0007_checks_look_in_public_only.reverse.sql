ALTER FUNCTION ledger_refuse_change() RESET search_path;
ALTER FUNCTION ledger_check_periods() RESET search_path;
ALTER FUNCTION ledger_check_floor() RESET search_path;
ALTER FUNCTION ledger_check_entries() RESET search_path;
ALTER FUNCTION ledger_check_postings() RESET search_path;
