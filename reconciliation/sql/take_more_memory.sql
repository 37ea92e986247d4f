-- Sorts and hashes of this transaction may hold what they are made of.
SET LOCAL work_mem = '64MB'
