"""Journal entries before they are saved: pure, self-checking values."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from ledger.errors import Invalid, UnbalancedEntry
from ledger.money import AMOUNT_MAX, Money


class AccountType(StrEnum):
    """The five kinds of account; assets and expenses grow by debits, the others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Direction(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


LINES_MAX = 32_767  # of a smallint
KEY_LENGTH_MAX = 200
KIND_LENGTH_MAX = 40
REFERENCE_LENGTH_MAX = 80

DEBIT_NORMAL = frozenset({AccountType.ASSET, AccountType.EXPENSE})


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Names an account of the chart, and says how to open it when it is first posted to.

    `code` is unique per `owner`; the platform's own accounts have owner "". `floor` is the lowest
    balance (by normal side, minor units) a posting may leave behind; None: no limit.
    """

    code: str
    type: AccountType
    currency: str
    owner: str = ""
    floor: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What names the account among all accounts."""
        return self.owner, self.code


@dataclass(frozen=True, slots=True)
class Line:
    """One debit or credit of one account, to become a Posting."""

    account: AccountRef
    direction: Direction
    amount: int

    @property
    def signed_amount(self) -> int:
        """Debits count positive, credits negative."""
        return self.amount if self.direction == Direction.DEBIT else -self.amount


def debit(account: AccountRef, money: Money) -> Line:
    return _line(account, Direction.DEBIT, money)


def credit(account: AccountRef, money: Money) -> Line:
    return _line(account, Direction.CREDIT, money)


def _line(account: AccountRef, direction: Direction, money: Money) -> Line:
    if money.currency != account.currency:
        raise Invalid(
            f"{money} cannot be posted to {account.code}, an account in {account.currency}."
        )
    return Line(account, direction, money.amount)


@dataclass(frozen=True, slots=True)
class Release:
    """Minor units of an account that a hold kept pending, set free as an entry is posted."""

    account: AccountRef
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced set of lines. The idempotency key makes posting it twice harmless.

    `reference` is the public id of the business object it is about; the ledger only keeps it.
    `reverses` is the id of the entry it undoes. `moves_if_late` says what happens when the period
    it takes effect in is closed: it takes effect when the next open one starts, or it is refused.
    `releases` is for ledger.services.holds.
    Lines of amount 0 are dropped; an entry that has none left is refused like an unbalanced one.
    """

    idempotency_key: str
    kind: str
    reference: str
    effective_at: datetime
    lines: tuple[Line, ...]
    reverses: int | None = None
    moves_if_late: bool = False
    releases: tuple[Release, ...] = ()

    def __post_init__(self) -> None:
        lines = tuple(line for line in self.lines if line.amount)
        object.__setattr__(self, "lines", lines)
        if self.effective_at.tzinfo is None:
            raise ValueError(f"Entry {self.idempotency_key}: effective_at has no time zone.")
        self._check_texts()
        if len(lines) > LINES_MAX:
            raise Invalid(f"Entry {self.idempotency_key}: more than {LINES_MAX} lines.")
        totals: dict[str, int] = {}
        for line in lines:
            if not 0 < line.amount <= AMOUNT_MAX:
                raise Invalid(f"Entry {self.idempotency_key}: {line.amount} is no amount to post.")
            currency = line.account.currency
            totals[currency] = totals.get(currency, 0) + line.signed_amount
        if len(lines) < 2 or any(totals.values()):
            raise UnbalancedEntry(self.idempotency_key, totals)

    def _check_texts(self) -> None:
        """Raise Invalid for what PostgreSQL cannot keep."""
        for text, length_max in (
            (self.idempotency_key, KEY_LENGTH_MAX),
            (self.kind, KIND_LENGTH_MAX),
            (self.reference, REFERENCE_LENGTH_MAX),
        ):
            if len(text) > length_max or not text.isprintable():
                raise Invalid(f"{text[:60]!r} is too long for an entry or cannot be printed.")

    @property
    def fingerprint(self) -> bytes:
        """What tells a replay of this entry from another one under its key."""
        return fingerprint_of(
            self.kind,
            self.reference,
            self.effective_at,
            [
                (line.account.owner, line.account.code, line.direction, line.amount)
                for line in self.lines
            ],
        )


def fingerprint_of(
    kind: str,
    reference: str,
    effective_at: datetime,
    lines: Iterable[tuple[str, str, str, int]],
) -> bytes:
    """SHA-256 over everything that makes two entries the same entry.

    `lines` are (owner, code, direction, amount) in their order. Taken of what was asked, it tells a
    replay from a clash; taken of what is stored, it tells whether somebody changed it.
    """
    parts = [kind, reference, _utc_text(effective_at)]
    for owner, code, direction, amount in lines:
        parts += (owner, code, direction, str(amount))
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


@lru_cache(maxsize=1)
def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def moves(account_in: AccountRef, account_out: AccountRef, money: Money) -> tuple[Line, Line]:
    """Debit one account and credit another; a negative amount goes the other way round."""
    if money.amount < 0:
        account_in, account_out, money = account_out, account_in, -money
    return debit(account_in, money), credit(account_out, money)


def lines(*groups: Iterable[Line]) -> tuple[Line, ...]:
    """Join groups of lines into the lines of one entry."""
    return tuple(line for group in groups for line in group)
