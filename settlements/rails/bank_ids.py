"""Our public ids as banks take them.

An id in a payment message has at most 35 characters (ISO 20022 Max35Text) of the SEPA set, which
has no underscore, and `mpo_` with its 32 hexadecimal digits has 36. Left out, the underscore can be
put back, whatever a bank does to the case of letters.
"""

import re

_HEX = re.compile(r"[0-9a-f]{32}")


def bank_id(public_id: str) -> str:
    """`mpo_0192…` as `mpo0192…`: 35 characters at most."""
    return public_id.replace("_", "")


def public_id(bank_id: str, prefix: str) -> str:
    """The public id of this prefix that a bank's text means; "" if it means none."""
    text = bank_id.strip().lower()
    digits = text.removeprefix(prefix).removeprefix("_")
    return f"{prefix}_{digits}" if text.startswith(prefix) and _HEX.fullmatch(digits) else ""
