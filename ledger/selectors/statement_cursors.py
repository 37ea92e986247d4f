"""Where a listing of an account's lines is, as text for whoever asks for the next page."""

import base64
import binascii
import json
import re
from dataclasses import astuple, dataclass
from typing import Any

from ledger.errors import Invalid

_GAP = re.compile(r"\[(\d{1,18}),(\d{1,18})\)", re.ASCII)
INTEGER_MAX = 2**63 - 1
ENTRY_ID_MAX = 10**18


class CursorInvalid(Invalid):
    code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__("This cursor does not continue this listing.")


@dataclass(frozen=True, slots=True)
class StatementCursor:
    """The last line shown and its place in the account, and what the listing shows altogether.

    Entries above `last_entry_id` or in `gaps` (ids as a multirange) came later than its first
    page. Amounts are minor units by the account's normal side; `balance` is what the next line
    starts from. `scope` is what the listing was asked for.
    """

    entry_id: int
    position: int
    balance: int
    opening_balance: int
    closing_balance: int
    last_entry_id: int
    gaps: str
    scope: str

    @property
    def text(self) -> str:
        content = json.dumps(astuple(self), separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(text: str, *, scope: str) -> StatementCursor:
    """The cursor a page gave out. Raises CursorInvalid unless it continues this listing."""
    try:
        padded = text + "=" * (-len(text) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as problem:
        raise CursorInvalid() from problem
    if not _is_complete(values) or values[-1] != scope:
        raise CursorInvalid()
    return StatementCursor(*values)


def _is_complete(values: Any) -> bool:
    if not isinstance(values, list) or len(values) != len(StatementCursor.__slots__):
        return False
    *numbers, gaps, scope = values
    if not all(type(number) is int and abs(number) <= INTEGER_MAX for number in numbers):
        return False
    entry_id, position, *_, last_entry_id = numbers
    return (
        0 <= entry_id <= last_entry_id <= ENTRY_ID_MAX
        and 0 <= position < 2**15
        and isinstance(scope, str)
        and isinstance(gaps, str)
        and _are_gaps(gaps)
    )


def _are_gaps(text: str) -> bool:
    found = _GAP.findall(text)
    is_all = text == "{" + ",".join(f"[{first},{end})" for first, end in found) + "}"
    return is_all and all(int(first) < int(end) for first, end in found)
