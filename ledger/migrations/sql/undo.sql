-- Takes back what the files beside this one made and the deletion of the tables does not.
DROP FUNCTION ledger_look_up_batch, ledger_write_batch, ledger_available;
DROP FUNCTION ledger_check_postings, ledger_check_entries, ledger_check_floor, ledger_check_periods,
    ledger_refuse_change CASCADE;
