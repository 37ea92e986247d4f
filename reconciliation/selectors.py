"""Reads of reconciliation: above all the tie-out."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import (
    Count,
    QuerySet,
    Sum,
)
from django.utils import timezone

from ledger import sql
from ledger.money import Money
from reconciliation.days import end_of
from reconciliation.errors import (
    SourceNotFound,
    StatementFileNotFound,
)
from reconciliation.models import (
    Discrepancy,
    Match,
    ReconciliationRun,
    Source,
    SourceAccount,
    Statement,
    StatementFile,
    StatementLine,
)
from reconciliation.stated import read_stated


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One matter that keeps book and statement apart. `effect` is book minus statement."""

    name: str
    effect: Money
    since: date | None = None


@dataclass(frozen=True, slots=True)
class TieOut:
    """The proof for one account and day: book minus statement, explained by open items."""

    account: SourceAccount
    day: date
    book: Money
    statement: Money
    open_items: tuple[OpenItem, ...]

    @property
    def open(self) -> Money:
        return sum((item.effect for item in self.open_items), Money(0, self.account.currency))

    @property
    def difference(self) -> Money:
        """What no open item explains; anything but zero means the proof failed."""
        return self.book - self.statement - self.open

    @property
    def line(self) -> str:
        account = self.account
        return (
            f"tie-out {account.source.code} {account.identifier} {account.currency} {self.day}"
            f" book {self.book.text} statement {self.statement.text} open {self.open.text}"
            f" difference {self.difference.text}"
        )


@dataclass(frozen=True, slots=True)
class BalanceGap:
    """A reported closing balance that is not what the lines add up to. Minor units."""

    statement: Statement
    reported: int
    computed: int

    @property
    def amount(self) -> int:
        return self.reported - self.computed


def source_by_code(code: str) -> Source:
    """Raises SourceNotFound."""
    try:
        return Source.objects.get(code=code)
    except Source.DoesNotExist:
        raise SourceNotFound(code) from None


def statement_file_by_id(public_id: str) -> StatementFile:
    """Raises StatementFileNotFound."""
    file = StatementFile.objects.select_related("source").filter(public_id=public_id).first()
    if file is None:
        raise StatementFileNotFound()
    return file


def latest_day() -> date | None:
    """The latest day any loaded statement covers; None if none is loaded."""
    return Statement.objects.order_by("-last_day").values_list("last_day", flat=True).first()


def tie_outs(day: date, *, source: Source | None = None) -> list[TieOut]:
    """The tie-out of every account, or of one source's accounts."""
    accounts = SourceAccount.objects.select_related("source", "ledger_account").order_by(
        "source__code", "identifier", "currency"
    )
    if source is not None:
        accounts = accounts.filter(source=source)
    return [tie_out(account, day=day) for account in accounts]


def tie_out(account: SourceAccount, *, day: date, known_at: datetime | None = None) -> TieOut:
    """Prove one account at the end of a day in its source's zone, as known at a moment (now)."""
    known_at = known_at or timezone.now()
    end_of_day = end_of(day, account.source.time_zone)
    (book,) = sql.rows(
        "reconciliation",
        "book_balance",
        account_id=account.ledger_account_id,
        end_of_day=end_of_day,
        known_at=known_at,
    )
    stated = read_stated(account, day=day, known_at=known_at)
    matters = sql.rows(
        "reconciliation",
        "list_open_items",
        account_id=account.ledger_account_id,
        source_account_id=account.pk,
        source_id=account.source_id,
        zone=account.source.zone,
        day=day,
        end_of_day=end_of_day,
        known_at=known_at,
        opening=stated.opening.amount,
    )
    items = [
        OpenItem(
            row.reference or row.line_name or row.matter,
            Money(row.booked - row.stated, account.currency),
            row.since,
        )
        for row in matters
    ]
    if stated.gap:
        items.append(OpenItem(f"balance gap {stated.gap_statement}", -stated.gap, stated.gap_since))
    return TieOut(
        account=account,
        day=day,
        book=Money(book.balance, account.currency),
        statement=stated.balance,
        open_items=tuple(items),
    )


def balance_gaps(account: SourceAccount, *, day: date) -> list[BalanceGap]:
    """Statements whose closing balance is not the account's opening plus all lines by then."""
    statements = (
        Statement.objects.select_related("file")
        .filter(source_account=account, closing_balance__isnull=False, last_day__lte=day)
        .order_by("last_day", "pk")
    )
    gaps = []
    carried = 0
    # Several statements may end on one day (intraday); only the last one closes it.
    last_of_day = {statement.last_day: statement for statement in statements}
    for statement in last_of_day.values():
        computed = _stated(account, statement.last_day) + carried
        reported = statement.closing_balance
        assert reported is not None
        if reported != computed:
            gaps.append(BalanceGap(statement, reported, computed))
            carried += reported - computed
    return gaps


def _opening(account: SourceAccount, day: date) -> int:
    if account.opening_on is None or account.opening_on > day:
        return 0
    return account.opening_balance or 0


def _stated(account: SourceAccount, day: date) -> int:
    """The opening balance plus every line up to the day."""
    lines = StatementLine.objects.filter(source_account=account, booked_on__lte=day)
    return _opening(account, day) + (lines.aggregate(net=Sum("net"))["net"] or 0)


def open_discrepancies() -> QuerySet[Discrepancy]:
    """What nobody and nothing has ended, whoever is at it."""
    return (
        Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED)
        .select_related("source", "payment", "refund")
        .order_by("type", "reference", "pk")
    )


def matches_by_rule(run: ReconciliationRun) -> dict[tuple[str, str], int]:
    """How many matches each rule made in a run, by (kind, rule)."""
    counts = Match.objects.filter(run=run).values_list("kind", "rule").annotate(n=Count("id"))
    return {(kind, rule): n for kind, rule, n in counts.order_by("kind", "rule")}
