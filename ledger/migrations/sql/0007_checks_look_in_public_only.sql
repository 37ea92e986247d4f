-- Names are looked up in temporary tables first unless those are named last: whoever may create one
-- could show the checks periods that are open and accounts without a floor.
ALTER FUNCTION ledger_check_postings() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ledger_check_entries() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ledger_check_floor() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ledger_check_periods() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ledger_refuse_change() SET search_path = pg_catalog, public, pg_temp;
