"""Decides a batch of entries one after the other, in memory, as if each were posted by itself."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ledger.entries import DEBIT_NORMAL, AccountRef, AccountType, Direction, Entry, Line
from ledger.ids import new_ids

AccountKey = tuple[str, str]  # owner, code


class Status(StrEnum):
    POSTED = "posted"
    REPLAYED = "replayed"
    REFUSED = "refused"


class Result(NamedTuple):
    """What became of one entry. `code` and `message` say why it was refused."""

    status: Status
    entry_id: int | None = None
    public_id: str = ""
    code: str = ""
    message: str = ""


class Known(NamedTuple):
    """An entry that is in the journal already, by what tells a replay from a clash."""

    entry_id: int
    public_id: str
    fingerprint: bytes


@dataclass(slots=True)
class Standing:
    """An account as the batch finds it and moves it.

    `available` is what was so before the batch, minor units by its normal side, and known only if
    it has a floor; `change` is what has become of that since. An account that is not open yet has
    an id below 0.
    """

    id: int
    owner: str
    code: str
    currency: str
    type: str
    floor: int | None
    is_frozen: bool = False
    available: int = 0
    change: int = 0
    low: int | None = None  # of `change`, after entries that took something away
    debits: int = 0
    credits: int = 0
    released: int = 0

    @property
    def ref(self) -> AccountRef:
        return AccountRef(self.code, AccountType(self.type), self.currency, self.owner, self.floor)

    @property
    def has_moved(self) -> bool:
        return self.debits > 0 or self.credits > 0


class Accepted(NamedTuple):
    """An entry to write, under the id reserved for it."""

    entry_id: int
    public_id: str
    entry: Entry
    fingerprint: bytes
    standings: list[Standing]  # one per line
    effective_at: datetime
    late_from: datetime | None


@dataclass(slots=True)
class Batch:
    """The state in which entries are decided, and those accepted so far."""

    accounts: dict[AccountKey, Standing]
    known: dict[str, Known]
    closed_until: datetime | None
    entry_ids: list[int]
    reversed_ids: set[int] = field(default_factory=set)  # entries that may not be undone again
    chart: dict[str, str] = field(default_factory=dict)  # types of accounts to open, by code
    accepted: list[Accepted] = field(default_factory=list)
    accepted_by_key: dict[str, Accepted] = field(default_factory=dict)
    public_ids: list[str] = field(init=False)
    knows_all_accounts: bool = field(init=False)

    def __post_init__(self) -> None:
        self.public_ids = new_ids("je", len(self.entry_ids))
        self.knows_all_accounts = all(standing.id > 0 for standing in self.accounts.values())

    def decide(self, entry: Entry) -> Result:
        """Accept the entry after those before it, or recognise it, or say why not."""
        key = entry.idempotency_key
        fingerprint = entry.fingerprint
        known = self.accepted_by_key.get(key) or self.known.get(key)
        if known is not None:
            if fingerprint != known.fingerprint:
                message = f"Another entry was already posted under the key {key}."
                return _refused("idempotency_conflict", message)
            return Result(Status.REPLAYED, known.entry_id, known.public_id)
        if not self.knows_all_accounts:
            self._name_unopened(entry)
        accounts = self.accounts
        standings = [accounts[line.account.owner, line.account.code] for line in entry.lines]
        return self._refusal(entry, standings) or self._accept(entry, standings, fingerprint)

    def _name_unopened(self, entry: Entry) -> None:
        """What an account is, the first line that moves it says (and the chart, of its type), not
        one that was refused."""
        for line in reversed(entry.lines):
            ref = line.account
            standing = self.accounts[ref.key]
            if standing.id < 0 and not standing.has_moved:
                standing = self.accounts[ref.key] = not_open_yet(ref, standing.id)
                standing.type = self.chart.get(ref.code, ref.type)

    def _is_late(self, entry: Entry) -> bool:
        return self.closed_until is not None and entry.effective_at < self.closed_until

    def _refusal(self, entry: Entry, standings: list[Standing]) -> Result | None:
        if self._is_late(entry) and not entry.moves_if_late:
            return _refused("period_closed", f"The books are closed until {self.closed_until}.")
        if entry.reverses in self.reversed_ids:
            return _refused("already_reversed", "The entry was reversed before, or never existed.")
        has_floor = False
        for line, standing in zip(entry.lines, standings, strict=True):
            account = line.account
            if standing.currency != account.currency:
                message = f"{standing.code} is an account in {standing.currency}."
                return _refused("currency_mismatch", message)
            if standing.type != account.type:
                message = f"{standing.code} is an account of type {standing.type}."
                return _refused("account_type_mismatch", message)
            if standing.is_frozen:
                return _refused("account_frozen", f"{standing.code} is frozen.")
            if standing.floor is not None:
                has_floor = True
        return _broken_floor(entry, standings) if has_floor else None

    def _accept(self, entry: Entry, standings: list[Standing], fingerprint: bytes) -> Result:
        number = len(self.accepted)
        entry_id, public_id = self.entry_ids[number], self.public_ids[number]
        effective_at, late_from = entry.effective_at, None
        if self.closed_until is not None and self._is_late(entry):
            effective_at, late_from = self.closed_until, entry.effective_at
        accepted = Accepted(
            entry_id, public_id, entry, fingerprint, standings, effective_at, late_from
        )
        self.accepted.append(accepted)
        if entry.reverses is not None:
            self.reversed_ids.add(entry.reverses)
        self.accepted_by_key[entry.idempotency_key] = accepted
        for release in entry.releases:
            standing = self.accounts[release.account.key]
            standing.released += release.amount
            standing.change += release.amount
        befores = [standing.change for standing in standings]
        for line, standing in zip(entry.lines, standings, strict=True):
            if line.direction == Direction.DEBIT:
                standing.debits += line.amount
            else:
                standing.credits += line.amount
            standing.change += _by_normal_side(standing, line)
        for before, standing in zip(befores, standings, strict=True):
            if standing.change < before:
                standing.low = lower(standing.low, standing.change)
        return Result(Status.POSTED, entry_id, public_id)

    @property
    def accounts_to_open(self) -> list[AccountRef]:
        """The accounts that accepted entries move and that do not exist yet."""
        return [
            standing.ref
            for standing in self.accounts.values()
            if standing.id < 0 and standing.has_moved
        ]

    def columns(self, start: int, *, is_last: bool) -> dict[str, list[Any]]:
        """What `write_batch.sql` takes, for the entries accepted from number `start` on.

        The last of them bring along what the whole batch moves.
        """
        accepted = self.accepted[start:]
        entries = [item.entry for item in accepted]
        lines = [line for entry in entries for line in entry.lines]
        if is_last:
            accounts = [item for item in self.accounts.values() if item.has_moved]
        else:
            accounts = list(
                {each.id: each for item in accepted for each in item.standings}.values()
            )
        numbers = {standing.id: number for number, standing in enumerate(accounts, start=1)}
        moved = accounts if is_last else []
        return {
            "entry_ids": [item.entry_id for item in accepted],
            "account_ids": list(numbers),
            "floors": [standing.floor for standing in accounts],
            "public_ids": [item.public_id for item in accepted],
            "keys": [entry.idempotency_key for entry in entries],
            "fingerprints": [item.fingerprint.hex() for item in accepted],
            "kinds": [entry.kind for entry in entries],
            "references": [entry.reference for entry in entries],
            "posting_counts": [len(entry.lines) for entry in entries],
            "effective_ats": [item.effective_at for item in accepted],
            "late_froms": [item.late_from for item in accepted],
            "reverses": [entry.reverses for entry in entries],
            "posting_entries": [n for n, entry in enumerate(entries, start=1) for _ in entry.lines],
            "positions": [n for entry in entries for n in range(len(entry.lines))],
            "posting_accounts": [numbers[each.id] for item in accepted for each in item.standings],
            "directions": [line.direction for line in lines],
            "amounts": [line.amount for line in lines],
            "debits": [standing.debits for standing in moved],
            "credits": [standing.credits for standing in moved],
            "released_debits": [
                0 if standing.type in DEBIT_NORMAL else standing.released for standing in moved
            ],
            "released_credits": [
                standing.released if standing.type in DEBIT_NORMAL else 0 for standing in moved
            ],
            "rises": [rise_since(standing.low, standing.change) for standing in moved],
        }


def _broken_floor(entry: Entry, standings: list[Standing]) -> Result | None:
    changes: dict[int, int] = {}
    released = {release.account.key: release.amount for release in entry.releases}
    for line, standing in zip(entry.lines, standings, strict=True):
        changes[standing.id] = changes.get(standing.id, 0) + _by_normal_side(standing, line)
    for standing in standings:
        change = changes[standing.id]
        if standing.floor is None or change >= 0:
            continue
        available = standing.available + standing.change
        available += released.get((standing.owner, standing.code), 0)
        if available + change < standing.floor:
            message = f"The balance of {standing.code} does not allow this."
            return _refused("insufficient_funds", message)
    return None


def lower(low: int | None, change: int) -> int:
    """The lowest change of what is available so far, after one that took something away."""
    return change if low is None else min(low, change)


def rise_since(low: int | None, change: int) -> int | None:
    """How much more is available in the end than at the worst moment.

    None if the end is the worst and takes something away, which the database looks at anyway, or if
    nothing was ever taken away, which no floor forbids.
    """
    return None if low is None or low == change < 0 else change - low


def _by_normal_side(standing: Standing, line: Line) -> int:
    grows = (line.direction == Direction.DEBIT) == (standing.type in DEBIT_NORMAL)
    return line.amount if grows else -line.amount


def not_open_yet(ref: AccountRef, number: int) -> Standing:
    """An account the batch names first: empty, and known by a number of its own below 0."""
    return Standing(number, ref.owner, ref.code, ref.currency, ref.type, ref.floor)


def _refused(code: str, message: str) -> Result:
    return Result(Status.REFUSED, code=code, message=message)
