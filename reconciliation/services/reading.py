"""What a parser reads out of a file, on its way to be lines of our accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger.errors import DomainError, Invalid
from ledger.money import CURRENCY_EXPONENTS, Money
from payments.api.card_data import MASK, mask_card_numbers
from reconciliation.importers.records import (
    NOT_BOOKED,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from reconciliation.models import Source, SourceAccount, Statement, StatementFile
from reconciliation.services.sources import source_account
from reconciliation.services.staging import Staging

# Provisional within the day, or details of what a statement says too: never a movement of its own.
UNCOUNTED_FORMATS = frozenset({"camt.052", "camt.054", "mt942"})
STATEMENTS_MAX = 10_000
UNKEPT_MAX = 1_000


@dataclass(slots=True)
class _Total:
    """What the lines of one statement add up to on one account; minor units."""

    account: SourceAccount
    count: int = 0
    net: int = 0
    credit: int = 0
    masked: list[int] = field(default_factory=list)  # lines that had a card number in their text
    first_day: date | None = None
    last_day: date | None = None

    def add(self, line: ParsedLine, net: int) -> None:
        self.count += 1
        self.net += net
        if net > 0:
            self.credit += net
        for day in (line.booked_on, line.value_on):
            if day is None:
                continue
            if self.first_day is None or day < self.first_day:
                self.first_day = day
            if self.last_day is None or day > self.last_day:
                self.last_day = day


@dataclass(slots=True)
class _Open:
    """A statement being read."""

    number: int
    header: StatementHeader
    account: SourceAccount | None
    totals: dict[int, _Total] = field(default_factory=dict)
    unbooked: int = 0
    bad: int = 0


class Reader:
    """Turns a parser's records into staged lines and statements."""

    def __init__(self, file: StatementFile, format_code: str, staging: Staging) -> None:
        self.statements: list[Statement] = []
        self.repeated: list[int] = []  # statements that stand in the file a second time
        self.uncounted = 0
        self.unbooked = 0
        self.first_bad = ""
        self.unkept: list[int] = []  # lines that were read and do not fit our books
        self._file = file
        self._source: Source = file.source
        self._is_processor = self._source.kind == Source.Kind.PROCESSOR_REPORT
        self._is_counted = format_code not in UNCOUNTED_FORMATS
        self._staging = staging
        self._open: _Open | None = None
        self._number = 0
        self._known: set[object] = set()
        self._accounts = list(self._source.accounts.all())
        self._by_currency: dict[str, SourceAccount] = {}

    @property
    def bad(self) -> int:
        """How many lines cannot be read though they should be."""
        return self._staging.rejected - self.unbooked

    def read(self, records: Iterable[Record]) -> None:
        """Everything; raises ImportRefused if the file as a whole is no good."""
        for record in records:
            match record:
                case ParsedLine():
                    self._take(record)
                case RejectedLine():
                    self._reject(record.line_no, record.reason, record.raw)
                case StatementHeader():
                    self._open_statement(record)
                case StatementTrailer():
                    self._close(record)

    def _open_statement(self, header: StatementHeader) -> None:
        self._number += 1
        if self._number > STATEMENTS_MAX:
            raise ImportRefused("too_many_statements", f"more than {STATEMENTS_MAX} in one file")
        self._open = _Open(self._number, header, self._account_of(header))

    def _account_of(self, header: StatementHeader) -> SourceAccount | None:
        """A bank's account must be configured; a processor's follows from its currency, the
        statement's or each line's.
        """
        if self._is_processor:
            is_known = header.currency in CURRENCY_EXPONENTS
            return self._processor_account(header.currency) if is_known else None
        found = [
            account
            for account in self._accounts
            if account.identifier == header.account
            and (not header.currency or header.currency == account.currency)
        ]
        if len(found) != 1:
            raise ImportRefused(
                "unknown_account",
                f"it reports on account {header.account!r} in {header.currency or 'no currency'},"
                " which the source does not have; add it to the configuration",
            )
        return found[0]

    def _take(self, line: ParsedLine) -> None:
        statement = self._statement()
        if not self._is_counted:
            self.uncounted += 1
            self._staging.count()
            return
        try:
            account = statement.account or self._processor_account(line.currency)
            if line.currency not in ("", account.currency):
                raise Invalid(f"the line is in {line.currency}, the account in {account.currency}")
            clean = _without_card_numbers(line)
            net = self._staging.add(clean, account, statement.number)
        except DomainError as problem:
            if len(self.unkept) < UNKEPT_MAX:
                self.unkept.append(line.line_no)
            self._reject(line.line_no, f"{problem.code}: {problem.message}", repr(line))
            return
        total = statement.totals.get(account.id)
        if total is None:
            total = statement.totals[account.id] = _Total(account)
        total.add(line, net)
        if clean is not line and len(total.masked) < UNKEPT_MAX:
            total.masked.append(line.line_no)

    def _processor_account(self, currency: str) -> SourceAccount:
        if currency not in self._by_currency:
            self._staging.pause()
            self._by_currency[currency] = source_account(self._source, self._source.code, currency)
        return self._by_currency[currency]

    def _reject(self, line_no: int, reason: str, raw: str) -> None:
        is_unbooked = reason.startswith(NOT_BOOKED)
        self.unbooked += is_unbooked
        if not is_unbooked and not self.first_bad:
            self.first_bad = f"line {line_no}: {reason}"
        if self._open is not None:
            self._open.unbooked += is_unbooked
            # Number 0 is no line, and counts nowhere.
            self._open.bad += not is_unbooked and line_no > 0
        self._staging.reject(line_no, reason, raw)

    def _statement(self) -> _Open:
        assert self._open is not None, "a parser opens a statement before its lines"
        return self._open

    def _close(self, trailer: StatementTrailer) -> None:
        opened = self._statement()
        if not self._is_counted:
            return
        if opened.account is not None and _says_anything(opened, trailer):
            opened.totals.setdefault(opened.account.pk, _Total(opened.account))
        statements = [self._closed(opened, trailer, total) for total in opened.totals.values()]
        # A statement that stands in the file twice, word for word, moved the money once.
        said = (opened.header, trailer, tuple((s.line_count, s.net) for s in statements))
        if opened.header.statement_id and said in self._known:
            self.repeated.append(opened.number)
            return
        self._known.add(said)
        self.statements += statements

    def _closed(self, opened: _Open, trailer: StatementTrailer, total: _Total) -> Statement:
        header, currency = opened.header, total.account.currency
        first = header.first_day or trailer.opening_on or total.first_day
        last = header.last_day or trailer.closing_on or total.last_day
        first, last = first or last, last or first
        if first is None or last is None:
            raise ImportRefused("no_date", "it has a statement without any date")
        statement = Statement(
            file=self._file,
            source_account=total.account,
            number=opened.number,
            identifier=header.statement_id[:80],
            sequence=header.sequence[:40],
            first_day=min(first, last),
            last_day=max(first, last),
            opening_balance=self._minor(trailer.opening, currency),
            closing_balance=self._minor(trailer.closing, currency),
            line_count=total.count,
            net=total.net,
        )
        statement.contradictions = [
            {"code": code, "message": message}
            for code, message in (
                *_off_controls(opened, trailer, total),
                *_off_balance(statement, currency),
                *_card_numbers(total),
            )
        ]
        return statement

    def _minor(self, balance: Decimal | None, currency: str) -> int | None:
        """The balance in minor units; one that is not exact is noted and left out."""
        if balance is None:
            return None
        try:
            return Money.exactly(balance, currency).amount
        except Invalid as problem:
            self._reject(0, f"bad_balance: {problem.message}", str(balance))
            return None


def _says_anything(opened: _Open, trailer: StatementTrailer) -> bool:
    """Not if there are neither days nor balances."""
    header = opened.header
    days = (header.first_day, header.last_day, trailer.opening_on, trailer.closing_on)
    return {*days, trailer.opening, trailer.closing} != {None}


def _off_controls(
    opened: _Open, trailer: StatementTrailer, total: _Total
) -> Iterable[tuple[str, str]]:
    """Where the totals that the file states are not those of its lines."""
    if opened.account is None:
        return  # its lines are in several currencies
    # Banks count what they only announce, or do not.
    counts = {total.count + opened.bad, total.count + opened.bad + opened.unbooked}
    if trailer.declared_count is not None and trailer.declared_count not in counts:
        message = f"{total.count + opened.bad} lines, and it says {trailer.declared_count}"
        yield "control_total", message
    if opened.bad or opened.unbooked:
        return  # what those would add is not known
    currency = total.account.currency
    for name, declared, minor in (
        ("credits", trailer.declared_credit, total.credit),
        ("debits", trailer.declared_debit, total.credit - total.net),
    ):
        read = Money(minor, currency).decimal
        if declared is not None and abs(declared) != read:
            yield "control_total", f"{name} of {read}, and it says {declared} {currency}"


def _off_balance(statement: Statement, currency: str) -> Iterable[tuple[str, str]]:
    """Opening plus lines is closing, or the statement contradicts itself."""
    opening, closing = statement.opening_balance, statement.closing_balance
    if opening is None or closing is None or opening + statement.net == closing:
        return
    stated, computed = Money(closing, currency), Money(opening + statement.net, currency)
    yield "balance", f"opening plus lines is {computed}, and it says {stated}"


def _without_card_numbers(line: ParsedLine) -> ParsedLine:
    """Free text only: a processor's own reference may look like a card number (DESIGN.md §6)."""
    if not (line.text or line.counterparty):
        return line
    text, counterparty = mask_card_numbers(line.text), mask_card_numbers(line.counterparty)
    if MASK not in text and MASK not in counterparty:
        return line  # masking also rewrites digits of other scripts, which are nobody's business
    return line._replace(text=text, counterparty=counterparty)


def _card_numbers(total: _Total) -> Iterable[tuple[str, str]]:
    if total.masked:
        lines = ", ".join(map(str, total.masked))
        yield "card_number", f"a card number was masked in the text of line {lines}"
