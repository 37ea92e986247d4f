"""Public ids: a prefix that says what it is, and a UUIDv7 (RFC 9562) that sorts by time."""

import os
import threading
import time

RANDOM_BYTES = 10
# Asking the system for a few random bytes costs far more than all else here.
FETCHED_BYTES = 4_096
VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_id(prefix: str) -> str:
    """A new public id such as `pay_0192f0c1e0b87c4d9a3e5b6f7a8c9d0e`."""
    (public_id,) = new_ids(prefix, 1)
    return public_id


def new_ids(prefix: str, count: int) -> list[str]:
    """As many new public ids, in no order among themselves."""
    milliseconds = time.time_ns() // 1_000_000
    random = _take_random(2 * RANDOM_BYTES * count)
    parts = [random[at : at + 2 * RANDOM_BYTES] for at in range(0, len(random), 2 * RANDOM_BYTES)]
    # The version 7 comes after the time; of the digit after 3 more, two bits are always binary 10.
    start = f"{prefix}_{milliseconds:012x}7"
    return [f"{start}{part[:3]}{VARIANT[part[3]]}{part[4:19]}" for part in parts]


class _Fetched(threading.local):
    """Random digits that this thread has not used yet."""

    digits = ""


_fetched = _Fetched()
# A child that went on with its parent's digits would give out its parent's ids.
os.register_at_fork(after_in_child=lambda: setattr(_fetched, "digits", ""))


def _take_random(count: int) -> str:
    """So many random hexadecimal digits that nobody had before."""
    if len(_fetched.digits) < count:
        _fetched.digits = os.urandom(max(FETCHED_BYTES, count)).hex()
    taken, _fetched.digits = _fetched.digits[:count], _fetched.digits[count:]
    return taken
