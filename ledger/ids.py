"""Public ids: a prefix that says what it is, and a UUIDv7 (RFC 9562) that sorts by time."""

import os
import time

RANDOM_BYTES = 10
VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_id(prefix: str) -> str:
    """A new public id such as `pay_0192f0c1e0b87c4d9a3e5b6f7a8c9d0e`."""
    (public_id,) = new_ids(prefix, 1)
    return public_id


def new_ids(prefix: str, count: int) -> list[str]:
    """As many new public ids, in no order among themselves."""
    milliseconds = time.time_ns() // 1_000_000
    random = os.urandom(RANDOM_BYTES * count).hex()
    parts = [random[at : at + 2 * RANDOM_BYTES] for at in range(0, len(random), 2 * RANDOM_BYTES)]
    # The version 7 comes after the time; of the digit after 3 more, two bits are always binary 10.
    start = f"{prefix}_{milliseconds:012x}7"
    return [f"{start}{part[:3]}{VARIANT[part[3]]}{part[4:19]}" for part in parts]
