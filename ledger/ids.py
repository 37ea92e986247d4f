"""Public ids: a prefix that says what it is, and a UUIDv7 (RFC 9562) that sorts by time."""

import secrets
import time


def new_id(prefix: str) -> str:
    """A new public id such as `pay_0192f0c1e0b87c4d9a3e5b6f7a8c9d0e`."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (
        milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (2**62 - 1)
    )
    return f"{prefix}_{value:032x}"
