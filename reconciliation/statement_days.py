"""Which days the statements of an account tell everything about."""

from dataclasses import dataclass
from datetime import date

from payments.calendar import add_business_days
from reconciliation.models import SourceAccount, Statement


@dataclass(slots=True)
class _Span:
    """Days in a row; `closing`: the balance at the end of the last, minor units, if it is told."""

    first_day: date
    last_day: date
    closing: int | None


@dataclass(frozen=True, slots=True)
class KnownDays:
    spans: tuple[_Span, ...]

    def have(self, first_day: date, last_day: date) -> bool:
        """Whether no statement is missing that could say something about the days between."""
        return any(span.first_day <= first_day and last_day <= span.last_day for span in self.spans)


def known_days(account: SourceAccount, *, day: date) -> KnownDays:
    """The days up to `day` that statements are about.

    One that begins by the next business day goes on where the one before it ended, and so does one
    that opens with the balance with which that closed: nothing was booked in between.
    """
    spans: list[_Span] = []
    statements = Statement.objects.filter(source_account=account, first_day__lte=day)
    for statement in statements.order_by("first_day", "last_day", "pk"):
        last_day, closing = min(statement.last_day, day), statement.closing_balance
        if not spans or not _goes_on(spans[-1], statement):
            spans.append(_Span(statement.first_day, last_day, closing))
        elif last_day >= spans[-1].last_day:
            spans[-1].last_day, spans[-1].closing = last_day, closing
    return KnownDays(tuple(spans))


def _goes_on(span: _Span, statement: Statement) -> bool:
    if statement.first_day <= add_business_days(span.last_day, 1):
        return True
    return None is not statement.opening_balance == span.closing
