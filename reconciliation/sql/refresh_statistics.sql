-- Let the planner know how full these tables are: a run comes right after a load, and a plan made for
-- tables that look empty can take minutes instead of a second.
ANALYZE payments_payment, payments_refund, payments_dispute, reconciliation_statementline,
    reconciliation_processorpayout, reconciliation_match, reconciliation_matchline,
    reconciliation_discrepancy
