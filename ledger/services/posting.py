"""The one way into the journal: set-based, exact, idempotent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction

from ledger import sql
from ledger.entries import DEBIT_NORMAL, Direction, Entry, fingerprint
from ledger.errors import Busy, Conflict
from ledger.ids import new_id
from ledger.services.accounts import AccountKey, accounts_by_key

COLLISIONS_MAX = 5


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


def post_entries(entries: Sequence[Entry]) -> list[Result]:
    """Post each entry, or recognise it, or refuse it, one result per entry in order.

    The outcome equals posting them one by one: a refused entry (`insufficient_funds`,
    `currency_mismatch`, `account_type_mismatch`, `idempotency_conflict`) leaves no trace and does
    not fail its neighbours.
    Call it once per transaction, after all other row locks: balances are locked last, in id order.
    """
    if not entries:
        return []
    for _ in range(COLLISIONS_MAX):
        try:
            return _post_batch(entries)
        except IntegrityError as collision:
            # Another transaction used a key of ours on other accounts, so no lock told us apart.
            # It has committed now, and looking again finds its entry.
            if "ledger_entry_once_per_key" not in str(collision):
                raise
    raise Busy("Other transactions keep posting under the same keys.")


@transaction.atomic
def _post_batch(entries: Sequence[Entry]) -> list[Result]:
    accounts = accounts_by_key(line.account for entry in entries for line in entry.lines)
    balances = {
        row.account_id: row.debits - row.credits
        for row in sql.rows(
            "ledger", "lock_balances", account_ids=[row.id for row in accounts.values()]
        )
    }
    known = {
        row.idempotency_key: row
        for row in sql.rows(
            "ledger", "find_entries", keys=[entry.idempotency_key for entry in entries]
        )
    }
    batch = _Batch(accounts, balances)
    outcomes = [_decide(entry, batch, known) for entry in entries]
    batch.write()
    return [
        Result(outcome.status, batch.ids[outcome.number], batch.public_ids[outcome.number])
        if isinstance(outcome, _InBatch)
        else outcome
        for outcome in outcomes
    ]


def post_entry(entry: Entry) -> Result:
    """Post one entry; raises EntryRefused instead of returning a refusal."""
    (result,) = post_all([entry])
    return result


def post_all(entries: Sequence[Entry]) -> list[Result]:
    """Post entries of which none may be refused; raises EntryRefused for the first that is."""
    results = post_entries(entries)
    for result in results:
        if result.status == Status.REFUSED:
            raise EntryRefused(result)
    return results


@dataclass(frozen=True, slots=True)
class _InBatch:
    """An entry this batch writes; its ids are known once it is written."""

    status: Status
    number: int


def _decide(entry: Entry, batch: "_Batch", known: dict[str, Any]) -> Result | _InBatch:
    digest = fingerprint(
        entry.kind,
        entry.reference,
        entry.effective_at,
        (
            (line.account.owner, line.account.code, line.direction, line.amount)
            for line in entry.lines
        ),
    )
    number = batch.numbers.get(entry.idempotency_key)
    if number is not None:
        is_same = digest == batch.fingerprints[number]
        return _InBatch(Status.REPLAYED, number) if is_same else _conflict(entry)
    found = known.get(entry.idempotency_key)
    if found is not None:
        is_same = digest == bytes(found.fingerprint)
        return Result(Status.REPLAYED, found.id, found.public_id) if is_same else _conflict(entry)
    return batch.refusal(entry) or _InBatch(Status.POSTED, batch.add(entry, digest))


def _conflict(entry: Entry) -> Result:
    message = f"Another entry was already posted under the key {entry.idempotency_key}."
    return Result(Status.REFUSED, code="idempotency_conflict", message=message)


@dataclass(slots=True)
class _Batch:
    """Entries accepted so far, as the columns of one INSERT, and the balances they leave."""

    accounts: dict[AccountKey, Any]
    balances: dict[int, int]  # debits minus credits
    numbers: dict[str, int] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    public_ids: list[str] = field(default_factory=list)
    fingerprints: list[bytes] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    posting_counts: list[int] = field(default_factory=list)
    effective_ats: list[datetime] = field(default_factory=list)
    reverses: list[int | None] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    account_ids: list[int] = field(default_factory=list)
    directions: list[str] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    balances_after: list[int] = field(default_factory=list)
    debits: dict[int, int] = field(default_factory=dict)
    credits: dict[int, int] = field(default_factory=dict)

    def refusal(self, entry: Entry) -> Result | None:
        """Why the entry cannot be posted after the ones before it; None if it can."""
        has_floor = False
        for line in entry.lines:
            account = self.accounts[line.account.key]
            if account.currency != line.account.currency:
                message = f"{account.code} is an account in {account.currency}."
                return Result(Status.REFUSED, code="currency_mismatch", message=message)
            if account.type != line.account.type:
                message = f"{account.code} is an account of type {account.type}."
                return Result(Status.REFUSED, code="account_type_mismatch", message=message)
            has_floor = has_floor or account.floor is not None
        return self._floor_broken(entry) if has_floor else None

    def _floor_broken(self, entry: Entry) -> Result | None:
        changes: dict[int, int] = {}
        for line in entry.lines:
            account_id = self.accounts[line.account.key].id
            changes[account_id] = changes.get(account_id, 0) + line.signed_amount
        for line in entry.lines:
            account = self.accounts[line.account.key]
            if account.floor is None:
                continue
            before = _by_normal_side(account.type, self.balances[account.id])
            after = before + _by_normal_side(account.type, changes[account.id])
            if after < account.floor and after < before:
                message = f"The balance of {account.code} does not allow this."
                return Result(Status.REFUSED, code="insufficient_funds", message=message)
        return None

    def add(self, entry: Entry, digest: bytes) -> int:
        number = len(self.public_ids)
        self.numbers[entry.idempotency_key] = number
        self.public_ids.append(new_id("je"))
        self.fingerprints.append(digest)
        self.kinds.append(entry.kind)
        self.references.append(entry.reference)
        self.posting_counts.append(len(entry.lines))
        self.effective_ats.append(entry.effective_at)
        self.reverses.append(entry.reverses)
        for position, line in enumerate(entry.lines):
            account = self.accounts[line.account.key]
            account_id, amount = account.id, line.amount
            if line.direction == Direction.DEBIT:
                self.balances[account_id] += amount
                self.debits[account_id] = self.debits.get(account_id, 0) + amount
            else:
                self.balances[account_id] -= amount
                self.credits[account_id] = self.credits.get(account_id, 0) + amount
            self.positions.append(position)
            self.account_ids.append(account_id)
            self.directions.append(line.direction)
            self.amounts.append(amount)
            after = self.balances[account_id]
            self.balances_after.append(after if account.type in DEBIT_NORMAL else -after)
        return number

    def write(self) -> None:
        """Insert everything accepted and move its balances."""
        if not self.public_ids:
            return
        reserved = sql.rows("ledger", "reserve_entry_ids", count=len(self.public_ids))
        self.ids = [row.id for row in reserved]
        moved = sorted(self.debits.keys() | self.credits.keys())
        sql.execute(
            "ledger",
            "post_entries",
            entry_ids=self.ids,
            public_ids=self.public_ids,
            keys=list(self.numbers),
            fingerprints=self.fingerprints,
            kinds=self.kinds,
            references=self.references,
            posting_counts=self.posting_counts,
            effective_ats=self.effective_ats,
            reverses=self.reverses,
            posting_entry_ids=[
                entry_id
                for entry_id, count in zip(self.ids, self.posting_counts, strict=True)
                for _ in range(count)
            ],
            positions=self.positions,
            account_ids=self.account_ids,
            directions=self.directions,
            amounts=self.amounts,
            balances_after=self.balances_after,
            moved_ids=moved,
            moved_debits=[self.debits.get(account_id, 0) for account_id in moved],
            moved_credits=[self.credits.get(account_id, 0) for account_id in moved],
        )


def _by_normal_side(account_type: str, debits_minus_credits: int) -> int:
    return debits_minus_credits if account_type in DEBIT_NORMAL else -debits_minus_credits
