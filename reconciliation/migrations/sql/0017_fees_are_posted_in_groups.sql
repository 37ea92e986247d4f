-- Which matches an entry stands for is as lasting as the entry.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE
ON reconciliation_feegroup FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
