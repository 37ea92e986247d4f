"""A batch as it is posted if nothing speaks against it: all that is needed to find that out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.batch import AccountKey, lower, rise_since
from ledger.entries import DEBIT_NORMAL, AccountRef, Direction, Entry


@dataclass(slots=True)
class _Moved:
    """What the batch does to one account, the `number`th it names. As of a Standing, line by line:
    between the lines of one entry less may be available than is after it, never more."""

    number: int
    account: AccountRef
    grows_by: Direction
    debits: int = 0
    credits: int = 0
    change: int = 0
    low: int | None = None


def plain_columns(entries: Sequence[Entry], public_ids: Sequence[str]) -> dict[str, Any] | None:
    """What `post_batch.sql` takes; None if the batch has to be decided entry by entry.

    That is so if two entries share a key, undo another, set free what a hold keeps, or disagree
    about an account.
    """
    moved: dict[AccountKey, _Moved] = {}
    accounts: list[int] = []
    for entry in entries:
        if entry.reverses is not None or entry.releases:
            return None
        for line in entry.lines:
            account = line.account
            key = account.owner, account.code
            of_account = moved.get(key)
            if of_account is None:
                grows_by = Direction.DEBIT if account.type in DEBIT_NORMAL else Direction.CREDIT
                of_account = moved[key] = _Moved(len(moved) + 1, account, grows_by)
            elif of_account.account is not account and not _is_same(of_account.account, account):
                return None
            _add(of_account, line.direction, line.amount)
            accounts.append(of_account.number)
    keys = [entry.idempotency_key for entry in entries]
    if len(set(keys)) < len(keys):
        return None
    lines = [line for entry in entries for line in entry.lines]
    all_moved = list(moved.values())
    return {
        "owners": [owner for owner, _ in moved],
        "codes": [code for _, code in moved],
        "currencies": [each.account.currency for each in all_moved],
        "types": [each.account.type for each in all_moved],
        "lows": [each.low for each in all_moved],
        "debits": [each.debits for each in all_moved],
        "credits": [each.credits for each in all_moved],
        "rises": [rise_since(each.low, each.change) for each in all_moved],
        "public_ids": list(public_ids),
        "keys": keys,
        "fingerprints": [entry.fingerprint.hex() for entry in entries],
        "kinds": [entry.kind for entry in entries],
        "references": [entry.reference for entry in entries],
        "posting_counts": [len(entry.lines) for entry in entries],
        "effective_ats": [entry.effective_at for entry in entries],
        "earliest": min(entry.effective_at for entry in entries),
        "posting_entries": [n for n, entry in enumerate(entries, start=1) for _ in entry.lines],
        "positions": [n for entry in entries for n in range(len(entry.lines))],
        "posting_accounts": accounts,
        "directions": [line.direction for line in lines],
        "amounts": [line.amount for line in lines],
    }


def _is_same(one: AccountRef, other: AccountRef) -> bool:
    return (one.currency, one.type) == (other.currency, other.type)


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
