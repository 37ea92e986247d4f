-- Whoever reads a file counts its lines, and the fence of the file keeps all others from committing any. A
-- unique key would make the next reader wait for the lines of one that vanished in the middle of a piece.
ALTER TABLE reconciliation_stagedline DROP CONSTRAINT reconciliation_stagedline_pkey;
CREATE INDEX reconciliation_stagedline_in_order ON reconciliation_stagedline (file_id, position)
