"""The one way into the journal: set-based, exact, idempotent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction

from ledger import sql
from ledger.entries import DEBIT_NORMAL, AccountRef, AccountType, Direction, Entry
from ledger.errors import Conflict
from ledger.ids import new_id
from ledger.services.accounts import accounts_for


class Status(StrEnum):
    POSTED = "posted"
    REPLAYED = "replayed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one entry. `code` and `message` say why it was refused."""

    status: Status
    entry_id: int | None = None
    public_id: str = ""
    code: str = ""
    message: str = ""


class EntryRefused(Conflict):
    """Raised by post_entry when its only entry is refused."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.code = result.code


@transaction.atomic
def post_entries(entries: Sequence[Entry]) -> list[Result]:
    """Post each entry, or recognise it, or refuse it, one result per entry in order.

    The outcome equals posting them one by one: a refused entry (`insufficient_funds`,
    `currency_mismatch`, `idempotency_conflict`) leaves no trace and does not fail its neighbours.
    Call it once per transaction, after all other row locks: balances are locked last, in id order.
    """
    if not entries:
        return []
    accounts = accounts_for({line.account for entry in entries for line in entry.lines})
    ids = sorted({account.id for account in accounts.values()})
    balances = {
        row.account_id: row.debits - row.credits
        for row in sql.rows("ledger", "lock_balances", account_ids=ids)
    }
    keys = [entry.idempotency_key for entry in entries]
    known = {
        row.idempotency_key: (bytes(row.fingerprint), row.id, row.public_id)
        for row in sql.rows("ledger", "find_entries", keys=keys)
    }
    batch = _Batch(accounts, balances)
    decided = [_decide(entry, batch, known) for entry in entries]
    written = batch.write()
    return [
        outcome
        if isinstance(outcome, Result)
        else Result(outcome.status, written[outcome.number].id, written[outcome.number].public_id)
        for outcome in decided
    ]


def post_entry(entry: Entry) -> Result:
    """Post one entry; raises EntryRefused instead of returning a refusal."""
    (result,) = post_entries([entry])
    if result.status == Status.REFUSED:
        raise EntryRefused(result)
    return result


def fingerprint(entry: Entry) -> bytes:
    """SHA-256 over everything that makes two entries the same entry."""
    parts = [entry.kind, entry.reference, entry.effective_at.isoformat()]
    for line in entry.lines:
        parts += [line.account.owner, line.account.code, line.direction, str(line.amount)]
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class _InBatch:
    """An entry this batch writes; its ids are known once it is written."""

    status: Status
    number: int


def _decide(
    entry: Entry, batch: "_Batch", known: dict[str, tuple[bytes, int, str]]
) -> "Result | _InBatch":
    digest = fingerprint(entry)
    if seen := batch.numbers.get(entry.idempotency_key):
        number, first_digest = seen
        is_same = digest == first_digest
        return _InBatch(Status.REPLAYED, number) if is_same else _conflict(entry)
    if found := known.get(entry.idempotency_key):
        first_digest, entry_id, public_id = found
        if digest != first_digest:
            return _conflict(entry)
        return Result(Status.REPLAYED, entry_id, public_id)
    return batch.refusal(entry) or _InBatch(Status.POSTED, batch.add(entry, digest))


def _conflict(entry: Entry) -> Result:
    message = f"Another entry was already posted under the key {entry.idempotency_key}."
    return Result(Status.REFUSED, code="idempotency_conflict", message=message)


@dataclass(slots=True)
class _Batch:
    """Entries accepted so far, as the columns of one INSERT, and the balances they leave."""

    accounts: dict[AccountRef, Any]
    balances: dict[int, int]  # debits minus credits
    numbers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    entry_rows: list[tuple[Any, ...]] = field(default_factory=list)
    posting_rows: list[tuple[Any, ...]] = field(default_factory=list)
    moved: dict[int, list[int]] = field(default_factory=dict)

    def refusal(self, entry: Entry) -> Result | None:
        """Why the entry cannot be posted after the ones before it; None if it can."""
        change: dict[int, int] = {}
        for line in entry.lines:
            account = self.accounts[line.account]
            if account.currency != line.account.currency:
                message = f"{account.code} is an account in {account.currency}."
                return Result(Status.REFUSED, code="currency_mismatch", message=message)
            change[account.id] = change.get(account.id, 0) + line.signed_amount
        for line in entry.lines:
            account = self.accounts[line.account]
            after = _by_normal_side(account.type, self.balances[account.id] + change[account.id])
            before = _by_normal_side(account.type, self.balances[account.id])
            if account.floor is not None and after < account.floor and after < before:
                message = f"The balance of {account.code} does not allow this."
                return Result(Status.REFUSED, code="insufficient_funds", message=message)
        return None

    def add(self, entry: Entry, digest: bytes) -> int:
        number = len(self.entry_rows)
        self.numbers[entry.idempotency_key] = (number, digest)
        self.entry_rows.append(
            (
                new_id("je"),
                entry.idempotency_key,
                digest,
                entry.kind,
                entry.reference,
                len(entry.lines),
                entry.effective_at,
            )
        )
        for position, line in enumerate(entry.lines):
            account = self.accounts[line.account]
            self.balances[account.id] += line.signed_amount
            after = _by_normal_side(account.type, self.balances[account.id])
            self.posting_rows.append(
                (number + 1, position, account.id, line.direction, line.amount, after)
            )
            totals = self.moved.setdefault(account.id, [0, 0])
            totals[line.direction == Direction.CREDIT] += line.amount
        return number

    def write(self) -> list[Any]:
        """Insert everything accepted; rows of (id, public_id) in batch order."""
        if not self.entry_rows:
            return []
        entry_columns = [list(column) for column in zip(*self.entry_rows, strict=True)]
        posting_columns = [list(column) for column in zip(*self.posting_rows, strict=True)]
        entry_names = [
            "public_ids",
            "keys",
            "fingerprints",
            "kinds",
            "references",
            "posting_counts",
            "effective_ats",
        ]
        posting_names = [
            "entry_nths",
            "positions",
            "account_ids",
            "directions",
            "amounts",
            "balances_after",
        ]
        return sql.rows(
            "ledger",
            "post_entries",
            **dict(zip(entry_names, entry_columns, strict=True)),
            **dict(zip(posting_names, posting_columns, strict=True)),
            moved_ids=list(self.moved),
            moved_debits=[debits for debits, _ in self.moved.values()],
            moved_credits=[credits for _, credits in self.moved.values()],
        )


def _by_normal_side(account_type: str, debits_minus_credits: int) -> int:
    is_debit_normal = AccountType(account_type) in DEBIT_NORMAL
    return debits_minus_credits if is_debit_normal else -debits_minus_credits
