"""What a source says an account holds, as it was known at a moment."""

from dataclasses import dataclass
from datetime import date, datetime

from ledger import sql
from ledger.money import Money
from reconciliation.models import SourceAccount


@dataclass(frozen=True, slots=True)
class StatedBalance:
    """The opening balance plus all lines, and by how much the reported closing balances exceed it.

    `gap_statement` is the last statement with a gap of its own, `gap_since` its day.
    """

    opening: Money
    lines: Money
    gap: Money
    gap_statement: str = ""
    gap_since: date | None = None

    @property
    def balance(self) -> Money:
        return self.opening + self.lines + self.gap


def read_stated(account: SourceAccount, *, day: date, known_at: datetime) -> StatedBalance:
    """The balance at the end of a day; gaps of earlier days are carried to it."""
    where = {"source_account_id": account.pk, "known_at": known_at}
    found = sql.rows("reconciliation", "read_opening", **where)
    opened_on, opening = (found[0].opened_on, found[0].amount) if found else (None, 0)
    *closings, last = sql.rows("reconciliation", "list_closing_balances", day=day, **where)
    gap, statement, since = 0, "", None
    for row in closings:
        before = opening if opened_on is not None and opened_on <= row.last_day else 0
        off = row.closing_balance - before - row.lines
        if off != gap:
            gap, statement, since = off, row.identifier, row.last_day
    if opened_on is None or opened_on > day:
        opening = 0

    def money(amount: int) -> Money:
        return Money(amount, account.currency)

    return StatedBalance(money(opening), money(last.lines), money(gap), statement, since)
