"""Loading a statement: the raw file, its balances and its lines, in one transaction."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money
from ledger.services.posting import post_entry
from reconciliation.bookkeeping import entry_for_bank_opening
from reconciliation.days import start_of
from reconciliation.errors import FileRefused, UnknownAccount
from reconciliation.importers import FORMATS, recognise
from reconciliation.importers.records import (
    NOT_BOOKED,
    ImportRefused,
    ParsedLine,
    Record,
    StatementHeader,
    StatementTrailer,
)
from reconciliation.importers.records import (
    RejectedLine as ParsedRejection,
)
from reconciliation.models import RejectedLine, Source, SourceAccount, Statement, StatementFile
from reconciliation.services.sources import source_account
from reconciliation.services.staging import Staging

FILE_SIZE_MAX = 400 * 1024 * 1024


@dataclass(slots=True)
class _Open:
    """A statement being read: its header, and what its lines add up to per account."""

    header: StatementHeader
    account: SourceAccount | None
    totals: dict[int, "_Total"] = field(default_factory=dict)
    trailer: StatementTrailer = field(default_factory=StatementTrailer)


@dataclass(slots=True)
class _Total:
    account: SourceAccount
    count: int = 0
    net: int = 0
    days: set[date] = field(default_factory=set)


def import_statement(
    source: Source, content: bytes, *, name: str, actor: Actor
) -> tuple[StatementFile, bool]:
    """Load a file; returns it and whether it was loaded before, in which case nothing changes.

    Lines that cannot be read are kept as rejected lines with their reason; lines earlier files
    brought are recognised. Raises FileRefused, with nothing loaded, if the file as a whole is not
    what the source may send, and UnknownAccount for a bank account that is not configured.
    """
    digest = hashlib.sha256(content).hexdigest()
    known = StatementFile.objects.filter(source=source, sha256=digest).first()
    if known is not None:
        return known, True
    if len(content) > FILE_SIZE_MAX:
        raise FileRefused(name, f"is larger than {FILE_SIZE_MAX // 2**20} MB")
    try:
        with transaction.atomic():
            return _load(source, content, digest, name, actor), False
    except ImportRefused as refusal:
        raise FileRefused(name, str(refusal)) from refusal
    except IntegrityError as refusal:
        if "reconciliation_file_loaded_once" not in str(refusal):
            raise
        return StatementFile.objects.get(source=source, sha256=digest), True


def _load(source: Source, content: bytes, digest: str, name: str, actor: Actor) -> StatementFile:
    stream = io.BytesIO(content)
    format_code = recognise(stream)
    if format_code not in source.formats:
        allowed = ", ".join(source.formats)
        raise FileRefused(name, f"is {format_code}; the source {source} sends {allowed}")
    file = StatementFile.objects.create(
        source=source,
        name=name[-255:],
        format=format_code,
        sha256=digest,
        size=len(content),
        content=content,
        loaded_by=str(actor),
        loaded_at=timezone.now(),
    )
    reader = _Reader(file)
    staging = Staging()
    reader.read(FORMATS[format_code](stream), staging)
    file.line_count = staging.staged
    file.known_count = staging.staged - staging.store(file)
    file.rejected_count = len(reader.rejected)
    file.save(update_fields=["line_count", "known_count", "rejected_count"])
    RejectedLine.objects.bulk_create(reader.rejected)
    Statement.objects.bulk_create(reader.statements)
    for statement in reader.statements:
        _open_account(statement)
    return file


class _Reader:
    """Turns a parser's records into staged lines, statements and rejected lines."""

    def __init__(self, file: StatementFile) -> None:
        self.file = file
        self.source: Source = file.source
        self.statements: list[Statement] = []
        self.rejected: list[RejectedLine] = []
        self._accounts: dict[tuple[str, str], SourceAccount] = {}

    def read(self, records: Iterator[Record], staging: Staging) -> None:
        open_statement: _Open | None = None
        for record in records:
            match record:
                case StatementHeader():
                    open_statement = _Open(record, self._account_of(record))
                case ParsedLine():
                    assert open_statement is not None
                    self._stage(record, open_statement, staging)
                case ParsedRejection():
                    self._reject(record.line_no, record.reason, record.raw)
                case StatementTrailer():
                    assert open_statement is not None
                    open_statement.trailer = record
                    self._close(open_statement)

    def _account_of(self, header: StatementHeader) -> SourceAccount | None:
        """A bank's account must be configured; a processor's follows from each line's currency."""
        if self.source.kind == Source.Kind.PROCESSOR_REPORT:
            return None
        found = self.source.accounts.filter(identifier=header.account)
        if header.currency:
            found = found.filter(currency=header.currency)
        if found.count() != 1:
            raise UnknownAccount(self.file.name, header.account, header.currency)
        return found.get()

    def _stage(self, line: ParsedLine, statement: _Open, staging: Staging) -> None:
        try:
            account = statement.account or self._processor_account(line.currency)
            if account.currency != line.currency:
                raise Invalid(f"the line is in {line.currency}, the account in {account.currency}")
            net = staging.add(line, account)
        except Invalid as problem:
            self._reject(line.line_no, str(problem), repr(line))
            return
        total = statement.totals.setdefault(account.pk, _Total(account))
        total.count += 1
        total.net += net
        total.days |= {line.booked_on, line.value_on or line.booked_on}

    def _processor_account(self, currency: str) -> SourceAccount:
        key = (self.source.code, currency)
        if key not in self._accounts:
            self._accounts[key] = source_account(self.source, *key)
        return self._accounts[key]

    def _reject(self, line_no: int, reason: str, raw: str) -> None:
        self.rejected.append(
            RejectedLine(file=self.file, line_no=line_no, reason=reason[:255], raw=raw[:500])
        )

    def _balance(self, balance: Decimal | None, currency: str) -> int | None:
        """The balance in minor units; one that is not exact is noted and left out."""
        if balance is None:
            return None
        try:
            return Money.exactly(balance, currency).amount
        except Invalid as problem:
            self._reject(0, f"balance: {problem}", str(balance))
            return None

    def _close(self, statement: _Open) -> None:
        header, trailer = statement.header, statement.trailer
        if statement.account is not None:
            statement.totals.setdefault(statement.account.pk, _Total(statement.account))
        for total in statement.totals.values():
            currency = total.account.currency
            known_days = {header.first_day, header.last_day, trailer.opening_on, trailer.closing_on}
            days = total.days | {day for day in known_days if day}
            if not days:
                raise FileRefused(self.file.name, "has a statement without any date")
            self.statements.append(
                Statement(
                    file=self.file,
                    source_account=total.account,
                    identifier=header.statement_id[:80],
                    first_day=header.first_day or trailer.opening_on or min(days),
                    last_day=header.last_day or trailer.closing_on or max(days),
                    opening_balance=self._balance(trailer.opening, currency),
                    closing_balance=self._balance(trailer.closing, currency),
                    line_count=total.count,
                    net=total.net,
                )
            )


def _open_account(statement: Statement) -> None:
    """The first statement of a bank account says what was there before: book it, once.

    Statements may come in any order: an earlier one replaces the opening of a later one.
    """
    account = SourceAccount.objects.select_for_update().get(pk=statement.source_account_id)
    if account.source.kind != Source.Kind.BANK_STATEMENT or statement.opening_balance is None:
        return
    if account.opening_on is not None:
        if statement.first_day >= account.opening_on:
            return
        _book_opening(account, is_reversal=True)
    account.opening_balance = statement.opening_balance
    account.opening_on = statement.first_day
    account.save(update_fields=["opening_balance", "opening_on"])
    _book_opening(account)


def _book_opening(account: SourceAccount, *, is_reversal: bool = False) -> None:
    """Post what was in the account when its first day began, or take that back."""
    assert account.opening_on is not None
    money = Money(account.opening_balance or 0, account.currency)
    if not money:
        return
    action = "reversal" if is_reversal else "opening"
    post_entry(
        entry_for_bank_opening(
            account.ledger_account.ref,
            -money if is_reversal else money,
            key=f"{account.ledger_account.public_id}:{account.opening_on}:{action}",
            effective_at=start_of(account.opening_on, account.source.time_zone),
        )
    )


def is_unbooked(rejected: RejectedLine) -> bool:
    """Whether the line was left out because the bank has not booked it: no fault of the file."""
    return rejected.reason.startswith(NOT_BOOKED)
