-- The unique key again.
DROP INDEX reconciliation_stagedline_in_order;
ALTER TABLE reconciliation_stagedline ADD PRIMARY KEY (file_id, position)
