"""A batch as it is posted if nothing speaks against it: all that is needed to find that out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.batch import AccountKey, lower, rise_since
from ledger.entries import DEBIT_NORMAL, AccountRef, Direction, Entry
from ledger.ids import new_ids


class Opposed(Exception):
    """Something speaks against an entry, so that each has to be decided by itself."""


@dataclass(slots=True)
class _Moved:
    """What the batch does to one account: as of a Standing, but line by line, so that between the
    lines of an entry less may seem to be available than after it."""

    account: AccountRef
    grows_by: Direction
    debits: int = 0
    credits: int = 0
    change: int = 0
    low: int | None = None
    piece: int = -1  # that named it last, under this number
    number: int = 0


class PlainBatch:
    """Entries that are not decided one by one. Raises Opposed for those that have to be: two of
    them share a key, or one undoes another entry or sets free what a hold keeps."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.public_ids = new_ids("je", len(entries))
        self._moved: dict[AccountKey, _Moved] = {}
        keys = {entry.idempotency_key for entry in entries}
        if len(keys) < len(entries):
            raise Opposed
        if any(entry.reverses is not None or entry.releases for entry in entries):
            raise Opposed

    def columns(self, start: int, stop: int) -> dict[str, Any]:
        """What `post_batch.sql` takes, for these entries; called for all of them, in order.

        The last of them bring along what the whole batch moves. Raises Opposed if two entries
        disagree about an account.
        """
        entries, is_last = self.entries[start:stop], stop >= len(self.entries)
        accounts, numbers = self._move(entries, start)
        if is_last:
            accounts += [each for each in self._moved.values() if each.piece != start]
        moved = accounts if is_last else []
        lines = [line for entry in entries for line in entry.lines]
        return {
            "owners": [each.account.owner for each in accounts],
            "codes": [each.account.code for each in accounts],
            "currencies": [each.account.currency for each in accounts],
            "types": [each.account.type for each in accounts],
            "lows": [each.low for each in moved],
            "debits": [each.debits for each in moved],
            "credits": [each.credits for each in moved],
            "rises": [rise_since(each.low, each.change) for each in moved],
            "public_ids": self.public_ids[start:stop],
            "keys": [entry.idempotency_key for entry in entries],
            "fingerprints": [entry.fingerprint.hex() for entry in entries],
            "kinds": [entry.kind for entry in entries],
            "references": [entry.reference for entry in entries],
            "posting_counts": [len(entry.lines) for entry in entries],
            "effective_ats": [entry.effective_at for entry in entries],
            "earliest": min([entry.effective_at for entry in entries]),
            "posting_entries": [n for n, entry in enumerate(entries, start=1) for _ in entry.lines],
            "positions": [n for entry in entries for n in range(len(entry.lines))],
            "posting_accounts": numbers,
            "directions": [line.direction for line in lines],
            "amounts": [line.amount for line in lines],
        }

    def _move(self, entries: Sequence[Entry], piece: int) -> tuple[list[_Moved], list[int]]:
        """The accounts these entries name, and for each line the number of its account, from 1."""
        accounts: list[_Moved] = []
        numbers: list[int] = []
        for entry in entries:
            for line in entry.lines:
                moved = self._of(line.account)
                if moved.piece != piece:
                    accounts.append(moved)
                    moved.piece, moved.number = piece, len(accounts)
                _add(moved, line.direction, line.amount)
                numbers.append(moved.number)
        return accounts, numbers

    def _of(self, account: AccountRef) -> _Moved:
        key = account.owner, account.code
        moved = self._moved.get(key)
        if moved is None:
            grows_by = Direction.DEBIT if account.type in DEBIT_NORMAL else Direction.CREDIT
            moved = self._moved[key] = _Moved(account, grows_by)
        elif moved.account is not account:
            known = moved.account
            if known.currency != account.currency or known.type != account.type:
                raise Opposed
        return moved


def _add(moved: _Moved, direction: Direction, amount: int) -> None:
    if direction == Direction.DEBIT:
        moved.debits += amount
    else:
        moved.credits += amount
    if direction == moved.grows_by:
        moved.change += amount
    else:
        moved.change -= amount
        moved.low = lower(moved.low, moved.change)
