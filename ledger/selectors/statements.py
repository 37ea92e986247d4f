"""What went through one account, line by line, with the balance after each."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ledger import sql
from ledger.entries import Direction
from ledger.errors import Invalid
from ledger.models import Account
from ledger.money import Money
from ledger.selectors.balances import by_normal_side
from ledger.selectors.moments import aware
from ledger.selectors.statement_cursors import StatementCursor, read_cursor

LINES_MAX = 1_000
# In a cursor. Of more gaps than these between the entries since the last seal, the oldest count as
# never to be filled: most are of entries that were refused.
GAPS_MAX = 100


class PeriodInvalid(Invalid):
    code = "period_invalid"

    def __init__(self) -> None:
        super().__init__("A statement must end after it begins.")


@dataclass(frozen=True, slots=True)
class AccountStatementLine:
    """One posting, and the balance it left behind."""

    journal_entry: str
    position: int
    kind: str
    reference: str
    effective_at: datetime
    posted_at: datetime
    direction: Direction
    amount: Money
    balance_after: Money


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Some lines of a statement. The opening balance and all its lines make the closing balance."""

    lines: list[AccountStatementLine]
    opening_balance: Money
    closing_balance: Money
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for, the same for all pages of a listing."""

    account: Account
    since: datetime | None
    until: datetime | None
    newest_first: bool

    def __post_init__(self) -> None:
        aware(self.since)
        aware(self.until)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PeriodInvalid()

    @property
    def scope(self) -> str:
        order = "newest" if self.newest_first else "oldest"
        return f"{self.account.pk} {self.since} {self.until} {order}"


def account_statement(
    account: Account,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
) -> StatementPage:
    """A page of the lines that took effect from `since` on and before `until`, in posting order.

    `balance_after` counts from the opening balance (of all that took effect before `since`) over
    the lines of this statement in the order they were posted, and so arrives at the closing
    balance. All pages of a listing show the journal as it was at the first, however much is posted
    meanwhile. Raises CursorInvalid, PeriodInvalid, and ValueError for a moment without a time zone
    or a limit outside 1 .. LINES_MAX.
    """
    if not 1 <= limit <= LINES_MAX:
        raise ValueError(f"A page has 1 to {LINES_MAX} lines, not {limit}.")
    wish = _Wish(account, since, until, newest_first)
    place = _opened(wish) if cursor is None else read_cursor(cursor, scope=wish.scope)
    rows = _rows(wish, place, limit=limit + 1)
    lines = []
    for row in rows[:limit]:
        place, line = _next(wish, place, row)
        lines.append(line)
    return StatementPage(
        lines,
        opening_balance=Money(place.opening_balance, account.currency),
        closing_balance=Money(place.closing_balance, account.currency),
        next_cursor=place.text if len(rows) > limit else None,
    )


def _opened(wish: _Wish) -> StatementCursor:
    """The place before the first line of a new listing of what is in the journal now."""
    edges = [wish.until] if wish.since is None else [wish.until, wish.since]
    totals = sql.rows(
        "ledger",
        "sum_balances",
        account_ids=[wish.account.pk] * len(edges),
        effective_befores=edges,
        posted_befores=[None] * len(edges),
        is_listing=True,
        gaps_max=GAPS_MAX,
    )
    closing, *opening = [
        by_normal_side(wish.account, int(total.debits), int(total.credits)).amount
        for total in totals
    ]
    opening_balance = opening[0] if opening else 0
    last_entry_id = totals[0].last_entry_id or 0
    return StatementCursor(
        entry_id=last_entry_id + 1 if wish.newest_first else 0,
        position=0,
        balance=closing if wish.newest_first else opening_balance,
        opening_balance=opening_balance,
        closing_balance=closing,
        last_entry_id=last_entry_id,
        gaps=totals[0].gaps or "{}",
        scope=wish.scope,
    )


def _rows(wish: _Wish, place: StatementCursor, *, limit: int) -> list[Any]:
    params = {
        "account_id": wish.account.pk,
        "since": wish.since,
        "until": wish.until,
        "entry_id": place.entry_id,
        "position": place.position,
        "gaps": place.gaps,
        "limit": limit,
    }
    if wish.newest_first:
        return sql.rows("ledger", "list_newest_lines", **params)
    return sql.rows("ledger", "list_oldest_lines", **params, last_entry_id=place.last_entry_id)


def _next(
    wish: _Wish, place: StatementCursor, row: Any
) -> tuple[StatementCursor, AccountStatementLine]:
    """The line of a row, and the place after it."""
    grows = row.direction == wish.account.normal_side
    change = row.amount if grows else -row.amount
    after = place.balance if wish.newest_first else place.balance + change
    line = AccountStatementLine(
        journal_entry=row.public_id,
        position=row.position,
        kind=row.kind,
        reference=row.reference,
        effective_at=row.effective_at,
        posted_at=row.posted_at,
        direction=Direction(row.direction),
        amount=Money(row.amount, wish.account.currency),
        balance_after=Money(after, wish.account.currency),
    )
    balance = place.balance - change if wish.newest_first else after
    return (
        replace(place, entry_id=row.entry_id, position=row.position, balance=balance),
        line,
    )
