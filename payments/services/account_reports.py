"""Proving one account of a merchant over a period, or one transfer, from the real postings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from ledger import sql
from ledger.actors import Actor
from ledger.entries import Direction
from ledger.errors import Invalid
from ledger.models import Account, JournalEntry, Posting
from ledger.money import Money
from payments.models import AccountReport, Merchant, Transfer

DISCREPANCIES_MAX = 1_000  # kept of one report
YEAR_MIN, YEAR_MAX = 2000, 2999


class InvalidReportPeriod(Invalid):
    code = "invalid_period"


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """Whole days of a merchant, both included. Raises InvalidReportPeriod."""

    merchant: Merchant
    starts_on: date
    ends_on: date

    def __post_init__(self) -> None:
        if self.starts_on > self.ends_on:
            raise InvalidReportPeriod("The period ends before it starts.")
        if self.starts_on.year < YEAR_MIN or self.ends_on.year > YEAR_MAX:
            raise InvalidReportPeriod(f"A period is within the years {YEAR_MIN} to {YEAR_MAX}.")

    @property
    def since(self) -> datetime:
        return datetime.combine(self.starts_on, time.min, self.merchant.zone)

    @property
    def until(self) -> datetime:
        """The moment after it."""
        return datetime.combine(self.ends_on + timedelta(days=1), time.min, self.merchant.zone)


@dataclass(frozen=True, slots=True)
class TransferDifference:
    """What transfers of a period come to on an account: by its journal and by their own rows."""

    ledger_balance: Money
    transaction_balance: Money

    @property
    def difference(self) -> Money:
        return self.ledger_balance - self.transaction_balance


@dataclass(frozen=True, slots=True)
class TransferProof:
    """The entries about one transfer, with their postings, and what these add up to."""

    transfer: Transfer
    entries: list[tuple[JournalEntry, list[Posting]]]

    @property
    def debits(self) -> Money:
        return self._total(Direction.DEBIT)

    @property
    def credits(self) -> Money:
        return self._total(Direction.CREDIT)

    @property
    def is_balanced(self) -> bool:
        """Debits equal credits, and there is an entry if and only if it is COMPLETED."""
        is_completed = self.transfer.status == Transfer.Status.COMPLETED
        return self.debits == self.credits and is_completed == bool(self.debits)

    def _total(self, direction: Direction) -> Money:
        amounts = [
            posting.amount
            for _, postings in self.entries
            for posting in postings
            if posting.direction == direction
        ]
        return Money(sum(amounts), self.transfer.currency)


def prove_transfer(transfer: Transfer) -> TransferProof:
    """What the journal really says about this transfer."""
    entries = JournalEntry.objects.filter(reference=transfer.public_id).order_by("id")
    postings = Posting.objects.select_related("account").order_by("entry_id", "position")
    return TransferProof(
        transfer, [(entry, list(postings.filter(entry=entry))) for entry in entries]
    )


@transaction.atomic
def prove_account(account: Account, period: ReportPeriod, *, actor: Actor) -> AccountReport:
    """Hold the account's postings against its transfers and its balance; keep what was found.

    Opening balance and postings must come to the closing balance, every completed transfer has one
    entry with its amount on this account, and every entry about a transfer has its transfer.
    """
    pairs = _pairs(account, period)
    (proof,) = _prove_balance(account, period)
    expected = Money(proof.opening + proof.moved, account.currency)
    actual = Money(proof.closing, account.currency)
    discrepancies = list(_differences(account, pairs))[:DISCREPANCIES_MAX]
    if expected != actual:
        discrepancies.append(
            {
                "type": "BALANCE_MISMATCH",
                "expected": expected.text,
                "actual": actual.text,
                "severity": "CRITICAL",
            }
        )
    return AccountReport.objects.create(
        merchant=period.merchant,
        account=account,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        is_balanced=not discrepancies,
        transaction_count=sum(pair.transfer is not None for pair in pairs),
        expected_balance=expected.amount,
        actual_balance=actual.amount,
        discrepancies=discrepancies,
        created_by=str(actor),
    )


def transfer_difference(account: Account, period: ReportPeriod) -> TransferDifference:
    """The period's transfers on this account, added up twice."""
    pairs = _pairs(account, period)
    return TransferDifference(
        ledger_balance=Money(sum(pair.posted or 0 for pair in pairs), account.currency),
        transaction_balance=Money(sum(pair.wished or 0 for pair in pairs), account.currency),
    )


def _pairs(account: Account, period: ReportPeriod) -> list[Any]:
    return sql.rows(
        "payments",
        "compare_transfers_with_ledger",
        account_id=account.pk,
        since=period.since,
        until=period.until,
    )


def _prove_balance(account: Account, period: ReportPeriod) -> list[Any]:
    return sql.rows(
        "payments",
        "prove_account_balance",
        account_id=account.pk,
        since=period.since,
        until=period.until,
    )


def _differences(account: Account, pairs: list[Any]) -> Iterator[dict[str, str]]:
    def text(amount: int) -> str:
        return Money(amount, account.currency).text

    for pair in pairs:
        if pair.posted is None:
            yield {
                "type": "MISSING_LEDGER_ENTRY",
                "transaction_id": pair.transfer,
                "journal_entry_id": pair.journal_entry,
                "amount": text(pair.wished),
                "severity": "HIGH",
            }
        elif pair.wished is None:
            yield {
                "type": "ORPHAN_LEDGER_ENTRY",
                "transaction_id": pair.reference,
                "journal_entry_id": pair.journal_entry,
                "amount": text(pair.posted),
                "severity": "HIGH",
            }
        elif pair.posted != pair.wished:
            yield {
                "type": "AMOUNT_MISMATCH",
                "transaction_id": pair.transfer,
                "journal_entry_id": pair.journal_entry,
                "expected": text(pair.wished),
                "actual": text(pair.posted),
                "severity": "CRITICAL",
            }
