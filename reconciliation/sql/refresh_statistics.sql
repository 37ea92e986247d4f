-- Let the planner know how full these tables are: a run comes right after a load, and a plan made for
-- tables that look empty can take minutes instead of a second. Those that are still about as large as
-- when it last looked are left alone.
DO $$
DECLARE
    grown text;
BEGIN
    FOR grown IN
        SELECT relname FROM pg_class
        WHERE oid = ANY (ARRAY[
                'payments_merchant', 'payments_payment', 'payments_refund', 'payments_dispute',
                'reconciliation_sourceaccount', 'reconciliation_statementline',
                'reconciliation_processorpayout', 'reconciliation_match', 'reconciliation_discrepancy'
            ]::regclass[])
            AND abs(pg_relation_size(oid) / current_setting('block_size')::int - relpages)
                > relpages * 0.1
    LOOP
        EXECUTE format('ANALYZE %%I', grown);
    END LOOP;
END $$
