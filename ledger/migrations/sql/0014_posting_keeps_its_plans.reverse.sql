DROP FUNCTION ledger_write_batch;
DROP FUNCTION ledger_look_up_batch;
