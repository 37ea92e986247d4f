-- Lock what a batch of entries may not find changed later, and say what it is decided by.
SELECT * FROM ledger_look_up_batch(%(owners)s, %(codes)s, %(keys)s, %(undone)s, %(count)s)
