"""The simulated processor closes its day: a settlement report and the payouts it says it sends.

The report has the columns of a Stripe itemised payout reconciliation. It is written from the
processor's own journal, never from our payments, and can be made wrong in stated ways.
"""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from django.db import transaction

from ledger.money import Money
from payments.models import Gateway, SimulatedOperation

COLUMNS = [
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "automatic_payout_id",
    "payment_metadata[reference]",
    "refund_metadata[reference]",
    "connected_account",
]
DISPUTE_FEE_MINOR = 1500

Kind = SimulatedOperation.Kind
MONEY_IN = {Kind.CHARGE, Kind.CAPTURE}


class Fault(StrEnum):
    """What can be wrong with a report; the value is the discrepancy that must be found."""

    MISSING = "missing_settlement"
    AMOUNT = "amount_mismatch"
    ROUNDING = "rounding_difference"
    FEE = "fee_mismatch"
    SIGN = "wrong_sign"
    DUPLICATE = "duplicate_line"
    ORPHAN = "orphan_line"
    MANGLED = "reference_mangled"  # retyped by a person: no discrepancy, it must still match


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A line of the report; amounts are minor units, signed as the processor's balance moves."""

    id: str
    category: str
    created_at: datetime
    merchant: str
    currency: str
    gross: int
    fee: int
    reference: str
    refund_reference: str = ""

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass(frozen=True, slots=True)
class SimulatedPayout:
    """Money the processor says it sends to our bank."""

    id: str
    merchant: str
    money: Money


@dataclass(slots=True)
class ClosedDay:
    """The report as a file, its payouts, and what was made wrong: (discrepancy type, reference)."""

    csv: bytes
    payouts: list[SimulatedPayout]
    planted: list[tuple[str, str]] = field(default_factory=list)


@transaction.atomic
def close_day(
    gateway: Gateway, day: date, *, faults: Iterable[Fault] = (), seed: int = 0
) -> ClosedDay:
    """Report all money that moved and no report contains yet, and pay out what they add up to.

    Each fault is planted once, in a charge chosen by the seed. There must be enough of them.
    """
    journal = SimulatedOperation.objects.select_for_update().filter(
        gateway=gateway.code,
        kind__in=[*MONEY_IN, Kind.REFUND],  # an authorisation moves nothing
        outcome=SimulatedOperation.Outcome.ACCEPTED,
        reported_on=None,
    )
    operations = list(journal.order_by("pk"))
    lines = [_line(gateway, operation) for operation in operations]
    lines += [
        _dispute_line(operation)
        for operation in operations
        if operation.source == "tok_dispute" and operation.kind in MONEY_IN
    ]
    lines, planted = _plant(lines, list(faults), random.Random(seed))
    payouts = _payouts(lines, day)
    journal.filter(pk__in=[op.pk for op in operations]).update(reported_on=day)
    return ClosedDay(_csv(lines, payouts, day), payouts, planted)


def _line(gateway: Gateway, operation: SimulatedOperation) -> ReportLine:
    is_charge = operation.kind in MONEY_IN
    fee = 0
    if is_charge:
        fee = operation.money.basis_points(gateway.fee_basis_points).amount + gateway.fee_fixed
    return ReportLine(
        id=f"txn_{operation.pk:012d}",
        category="charge" if is_charge else "refund",
        created_at=operation.created_at,
        merchant=operation.merchant,
        currency=operation.currency,
        gross=operation.amount if is_charge else -operation.amount,
        fee=fee,
        reference=operation.reference if is_charge else operation.parent_reference,
        refund_reference="" if is_charge else operation.reference,
    )


def _dispute_line(operation: SimulatedOperation) -> ReportLine:
    return ReportLine(
        id=f"txn_{operation.pk:012d}d",
        category="dispute",
        created_at=operation.created_at,
        merchant=operation.merchant,
        currency=operation.currency,
        gross=-operation.amount,
        fee=DISPUTE_FEE_MINOR,
        reference=operation.reference,
    )


def _plant(
    lines: list[ReportLine], faults: list[Fault], chance: random.Random
) -> tuple[list[ReportLine], list[tuple[str, str]]]:
    refunded = {line.reference for line in lines if line.category != "charge"}
    charges = [
        line for line in lines if line.category == "charge" and line.reference not in refunded
    ]
    victims = dict(
        zip((line.id for line in chance.sample(charges, len(faults))), faults, strict=True)
    )
    result, planted = [], []
    for line in lines:
        fault = victims.get(line.id)
        result += _with_fault(line, fault)
        if fault is not None and fault is not Fault.MANGLED:
            on_line = fault in (Fault.DUPLICATE, Fault.ORPHAN)
            planted.append((fault.value, f"{line.id}x" if on_line else line.reference))
    return result, planted


def _with_fault(line: ReportLine, fault: Fault | None) -> list[ReportLine]:
    """The lines the report shows instead of this one."""
    match fault:
        case Fault.MISSING:
            return []
        case Fault.AMOUNT:
            return [replace(line, gross=line.gross - 137)]
        case Fault.ROUNDING:
            return [replace(line, gross=line.gross - 1)]
        case Fault.FEE:
            return [replace(line, fee=line.fee + 100)]
        case Fault.SIGN:
            return [replace(line, gross=-line.gross)]
        case Fault.DUPLICATE:
            return [line, replace(line, id=f"{line.id}x")]
        case Fault.ORPHAN:
            return [line, replace(line, id=f"{line.id}x", reference=f"pay_{line.id:0>32}")]
        case Fault.MANGLED:
            return [replace(line, reference=f"INV:{line.reference.upper()} /EU")]
        case None:
            return [line]


def _payouts(lines: list[ReportLine], day: date) -> list[SimulatedPayout]:
    totals: Counter[tuple[str, str]] = Counter()
    for line in lines:
        totals[line.merchant, line.currency] += line.net
    first = lines[0].id.removeprefix("txn_") if lines else ""
    return [
        SimulatedPayout(f"po_{day:%y%m%d}{first}n{number:03d}", merchant, Money(total, currency))
        for number, ((merchant, currency), total) in enumerate(sorted(totals.items()), start=1)
    ]


def _csv(lines: list[ReportLine], payouts: list[SimulatedPayout], day: date) -> bytes:
    ids = {(payout.merchant, payout.money.currency): payout.id for payout in payouts}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for line in lines:
        writer.writerow(_row(line, ids[line.merchant, line.currency]))
    for payout in payouts:
        row = ReportLine(
            id=f"txn_{payout.id}",
            category="payout",
            created_at=datetime.combine(day, time(6)),
            merchant=payout.merchant,
            currency=payout.money.currency,
            gross=-payout.money.amount,
            fee=0,
            reference="",
        )
        writer.writerow(_row(row, payout.id))
    return text.getvalue().encode()


def _row(line: ReportLine, payout_id: str) -> dict[str, Any]:
    at = f"{line.created_at:%Y-%m-%d %H:%M:%S}"
    is_payout = line.category == "payout"
    return {
        "balance_transaction_id": line.id,
        "created_utc": at,
        "available_on_utc": at,
        "currency": line.currency.lower(),
        "gross": Money(line.gross, line.currency).text,
        "fee": Money(line.fee, line.currency).text,
        "net": Money(line.net, line.currency).text,
        "reporting_category": line.category,
        "source_id": payout_id if is_payout else line.id.replace("txn_", "src_"),
        "description": line.category.upper(),
        "customer_facing_amount": "" if is_payout else Money(line.gross, line.currency).text,
        "customer_facing_currency": "" if is_payout else line.currency.lower(),
        "automatic_payout_id": payout_id,
        "payment_metadata[reference]": line.reference,
        "refund_metadata[reference]": line.refund_reference,
        "connected_account": line.merchant,
    }
