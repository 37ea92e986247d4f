"""What the statements of an account say about each other, and each about itself.

All of it is worked out when it is asked for: a statement that comes late mends the gap it left.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from ledger.money import Money
from reconciliation.models import SourceAccount, Statement, StatementFile

# Number and page, as in "235/1"; banks that do not number write the same for ever.
_SEQUENCE = re.compile(r"0*([0-9]{1,9})(?:/0*([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class StatementFinding:
    """Something about a statement that whoever reconciles has to know.

    `is_break`: lines may be missing or wrong, and no balance of the account settles it.
    """

    statement: Statement
    code: str
    message: str
    is_break: bool = False

    def __str__(self) -> str:
        account = self.statement.source_account
        name = self.statement.identifier or f"number {self.statement.number}"
        about = f"{account.identifier} {account.currency}, statement {name}"
        return f"{about}: {self.code}: {self.message}"

    def as_dict(self) -> dict[str, object]:
        account = self.statement.source_account
        return {
            "account": account.identifier,
            "currency": account.currency,
            "statement": self.statement.identifier,
            "code": self.code,
            "message": self.message,
        }


def findings_of_file(file: StatementFile) -> list[StatementFinding]:
    """What is to be said about the statements of one file."""
    accounts = SourceAccount.objects.filter(statements__file=file).distinct().order_by("pk")
    return [
        finding
        for account in accounts
        for finding in findings_of_account(account)
        if finding.statement.file_id == file.pk
    ]


def findings_of_account(
    account: SourceAccount, *, day: date | None = None
) -> list[StatementFinding]:
    """What is to be said about all statements of an account, or those up to a day."""
    statements = Statement.objects.filter(source_account=account).select_related(
        "file", "source_account"
    )
    if day is not None:
        statements = statements.filter(last_day__lte=day)
    return list(_findings(statements))


def _findings(statements: QuerySet[Statement]) -> Iterator[StatementFinding]:
    seen: dict[tuple[str, str, date], Statement] = {}
    previous: Statement | None = None
    for statement in sorted(statements, key=_place):
        yield from _own(statement)
        name = (statement.identifier, statement.sequence, statement.first_day)
        if statement.identifier and name in seen:
            yield _again(statement, seen[name])
            continue
        seen[name] = statement
        if previous is not None:
            yield from _between(previous, statement)
        previous = statement


def _place(statement: Statement) -> tuple[date, date, tuple[int, int], int]:
    sequence = _sequence(statement) or (0, 0)
    return statement.first_day, statement.last_day, sequence, statement.pk


def _sequence(statement: Statement) -> tuple[int, int] | None:
    found = _SEQUENCE.fullmatch(statement.sequence)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _own(statement: Statement) -> Iterable[StatementFinding]:
    for each in statement.contradictions:
        # A balance that is off shows as a gap by itself.
        is_break = each["code"] == "control_total"
        yield StatementFinding(statement, each["code"], each["message"], is_break)


def _again(statement: Statement, first: Statement) -> StatementFinding:
    new = statement.line_count - statement.known_count
    message = f"it came before, in {first.file}; {new} of its {statement.line_count} lines are new"
    return StatementFinding(statement, "statement_again", message)


def _between(previous: Statement, statement: Statement) -> Iterable[StatementFinding]:
    money = (previous.closing_balance, statement.opening_balance)
    is_known = None not in money
    if is_known and money[0] == money[1]:
        yield from _missing_numbers(previous, statement, is_break=False)
    elif statement.first_day <= previous.last_day and statement.known_count:
        yield _overlap(previous, statement)
    elif is_known:
        yield _opening_break(previous, statement)
        yield from _missing_numbers(previous, statement, is_break=False)
    else:
        yield from _missing_numbers(previous, statement, is_break=True)
    if statement.pk < previous.pk:
        message = f"it came after the one that follows it, {previous.identifier or previous.file}"
        yield StatementFinding(previous, "out_of_order", message)


def _overlap(previous: Statement, statement: Statement) -> StatementFinding:
    message = (
        f"it begins on {statement.first_day}, the one before it ends on {previous.last_day};"
        f" {statement.known_count} of its lines were known"
    )
    return StatementFinding(statement, "overlap", message)


def _opening_break(previous: Statement, statement: Statement) -> StatementFinding:
    currency = statement.source_account.currency
    closing = Money(previous.closing_balance or 0, currency)
    opening = Money(statement.opening_balance or 0, currency)
    message = f"it opens with {opening}, the one before it closed with {closing}"
    missing = statement.first_day - previous.last_day
    if missing > timedelta(days=1):
        message += f" on {previous.last_day}"
    return StatementFinding(statement, "opening_break", message)


def _missing_numbers(
    previous: Statement, statement: Statement, *, is_break: bool
) -> Iterable[StatementFinding]:
    """Numbers that were skipped. Many banks begin anew each year."""
    before, after = _sequence(previous), _sequence(statement)
    if before is None or after is None or after[0] == before[0]:
        return
    is_new_year = after[0] == 1 and statement.last_day.year > previous.first_day.year
    if after[0] == before[0] + 1 or is_new_year:
        return
    if after[0] > before[0]:
        last = after[0] - 1
        numbers = f"{before[0] + 1} to {last}" if last > before[0] + 1 else str(last)
        message = f"{numbers} did not come: it is {after[0]}, the one before it {before[0]}"
        yield StatementFinding(statement, "sequence_gap", message, is_break)
    else:
        message = f"it is number {after[0]} and follows number {before[0]}"
        yield StatementFinding(statement, "sequence_backwards", message)
