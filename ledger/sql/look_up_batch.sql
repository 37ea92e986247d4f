-- Say what a batch of entries is decided by; lock what has a floor, if what it says is to stay true.
SELECT * FROM ledger_look_up_batch(
    %(owners)s, %(codes)s, %(keys)s, %(undone)s, %(count)s, %(locks_floored)s
)
