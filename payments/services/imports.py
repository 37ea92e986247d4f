"""History from another system: its payments and refunds, with their ledger entries."""

import csv
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TextIO

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money, exponent_of
from ledger.services.posting import post_all
from payments.bookkeeping import entry_for_payment, entry_for_refund
from payments.models import Gateway, Merchant, Payment, Refund
from payments.models.merchants import MERCHANT_CODE
from payments.services.fees import FeePlans

ROWS_PER_CHUNK = 2_000
COLUMNS = {
    "payment_id",
    "merchant",
    "type",
    "amount",
    "currency",
    "reference",
    "created_at",
    "psp",
    "status",
}
TEXT_LENGTHS = {"payment_id": 80, "merchant": 40, "reference": 80, "psp": 40}


class RowRefused(Invalid):
    code = "row_refused"

    def __init__(self, line_no: int, problem: object) -> None:
        super().__init__(f"Line {line_no}: {problem}")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of the file, checked and typed."""

    line_no: int
    external_id: str
    merchant: str
    is_refund: bool
    is_settled: bool
    money: Money
    reference: str
    parent_reference: str
    effective_at: datetime
    gateway: str
    fee_expected: Money | None
    settlement_currency: str
    settlement_due_on: date | None

    @property
    def idempotency_key(self) -> str:
        return f"import:{self.external_id}"

    @property
    def digest(self) -> str:
        """Tells the same row again from another row under the same id."""
        said = (self.merchant, self.is_refund, self.is_settled, str(self.money), self.reference)
        return hashlib.sha256(repr((*said, self.effective_at)).encode()).hexdigest()


@dataclass(slots=True)
class ImportCounts:
    """How many rows were new and known, and what the new ones add up to per currency."""

    created: int = 0
    known: int = 0
    sums: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        sums = {ccy: Money(total, ccy).text for ccy, total in sorted(self.sums.items())}
        return {"created": self.created, "known": self.known, "sums": sums}


@transaction.atomic
def import_payments(file: TextIO, *, actor: Actor) -> dict[str, ImportCounts]:
    """Load payments and refunds by the columns of the header; merchants are created as needed.

    Rows with status `settled` were settled elsewhere: they post nothing and join no batch. Rows
    loaded before are recognised by their id. It is one transaction: RowRefused names the line of
    the first bad row, and then nothing is loaded.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
    counts = {"payments": ImportCounts(), "refunds": ImportCounts()}
    refunds: list[HistoryRow] = []
    for chunk in _chunks(_payments_first(_read(file, _gateways()), refunds)):
        _load_payments(chunk, counts["payments"], actor)
    for chunk in _chunks(iter(refunds)):
        _load_refunds(chunk, counts["refunds"], actor)
    return counts


def _payments_first(rows: Iterator[HistoryRow], refunds: list[HistoryRow]) -> Iterator[HistoryRow]:
    """The payments; refunds are put aside, because a file may hold them before their payments."""
    for row in rows:
        if row.is_refund:
            refunds.append(row)
        else:
            yield row


def _chunks(rows: Iterator[HistoryRow]) -> Iterator[list[HistoryRow]]:
    while chunk := list(itertools.islice(rows, ROWS_PER_CHUNK)):
        yield chunk


def _read(file: TextIO, gateways: dict[str, Gateway]) -> Iterator[HistoryRow]:
    reader = csv.DictReader(file, restkey="more", restval="")
    try:
        missing = COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise Invalid(f"The columns {', '.join(sorted(missing))} are missing.")
        for raw in reader:
            try:
                row = _row(reader.line_num, raw)
            except (ValueError, TypeError, OverflowError, Invalid) as problem:
                raise RowRefused(reader.line_num, problem) from None
            _check(row, gateways)
            yield row
    except csv.Error as problem:
        raise RowRefused(reader.line_num, problem) from None


def _row(line_no: int, raw: dict[str, str]) -> HistoryRow:
    if raw["type"] not in ("payment", "refund"):
        raise ValueError(f"type is {raw['type']!r}; payment or refund is known")
    if raw["status"] not in ("captured", "settled"):
        raise ValueError(f"status is {raw['status']!r}; captured or settled is known")
    for column, length in TEXT_LENGTHS.items():
        if not raw[column]:
            raise ValueError(f"{column} is empty")
        if len(raw[column]) > length or "\x00" in raw[column]:
            raise ValueError(f"{column} is longer than {length} characters or contains NUL")
    if not MERCHANT_CODE.fullmatch(raw["merchant"]):
        raise ValueError(f"merchant {raw['merchant']!r} is no code of a merchant")
    money = Money.of(raw["amount"], raw["currency"])
    if money.amount <= 0:
        raise ValueError(f"the amount {money} is not positive")
    effective_at = datetime.fromisoformat(raw["created_at"])
    effective_at = effective_at if effective_at.tzinfo else effective_at.replace(tzinfo=UTC)
    fee = raw.get("expected_fee") or ""
    if fee.startswith("-"):
        raise ValueError(f"expected_fee {fee} is negative")
    due_on = raw.get("expected_settlement_date") or ""
    settlement_currency = raw.get("settlement_currency") or money.currency
    exponent_of(settlement_currency)
    return HistoryRow(
        line_no=line_no,
        external_id=raw["payment_id"],
        merchant=raw["merchant"],
        is_refund=raw["type"] == "refund",
        is_settled=raw["status"] == "settled",
        money=money,
        reference=raw["reference"],
        parent_reference=raw.get("parent_reference") or "",
        effective_at=effective_at.astimezone(UTC),
        gateway=raw["psp"],
        fee_expected=Money.of(fee, raw.get("fee_currency") or money.currency) if fee else None,
        settlement_currency=settlement_currency,
        settlement_due_on=date.fromisoformat(due_on) if due_on else None,
    )


def _check(row: HistoryRow, gateways: dict[str, Gateway]) -> None:
    if row.gateway not in gateways:
        raise RowRefused(row.line_no, f"there is no gateway {row.gateway!r} (psp)")
    if row.is_refund and not row.parent_reference:
        raise RowRefused(row.line_no, "a refund needs its payment's reference (parent_reference)")
    if row.is_refund and row.is_settled:
        raise RowRefused(row.line_no, "a refund that was settled elsewhere is not loaded")


def _gateways() -> dict[str, Gateway]:
    return {gateway.code: gateway for gateway in Gateway.objects.all()}


def _load_payments(chunk: list[HistoryRow], counts: ImportCounts, actor: Actor) -> None:
    merchants, gateways = _merchants(chunk), _gateways()
    new = _new_rows(chunk, Payment, merchants, counts)
    plans = FeePlans(merchants.values())
    payments = []
    for row in new:
        merchant = merchants[row.merchant]
        fee = 0
        if not row.is_settled:
            fee = plans.fee_for(merchant, row.money, on=row.effective_at.date())
        payments.append(
            Payment(
                amount_captured=row.money.amount,
                **_shared_fields(row, merchant, actor),
                gateway=gateways[row.gateway],
                status=Payment.Status.SUCCEEDED,
                source="imported",
                fee=fee,
                metadata={"payment_id": row.external_id},
                is_settled_elsewhere=row.is_settled,
            )
        )
    _create(Payment, payments, new)
    post_all(
        [
            entry_for_payment(payment, row.effective_at)
            for payment, row in zip(payments, new, strict=True)
            if not payment.is_settled_elsewhere
        ]
    )


def _load_refunds(chunk: list[HistoryRow], counts: ImportCounts, actor: Actor) -> None:
    merchants = _merchants(chunk)
    new = _new_rows(chunk, Refund, merchants, counts)
    parents = {
        (payment.merchant_id, payment.reference): payment
        for payment in Payment.objects.select_for_update(of=("self",))
        .select_related("gateway")
        .filter(
            merchant__in=merchants.values(), reference__in=[row.parent_reference for row in new]
        )
        .order_by("pk")
    }
    refunds = []
    for row in new:
        merchant = merchants[row.merchant]
        payment = parents.get((merchant.pk, row.parent_reference))
        if payment is None:
            raise RowRefused(row.line_no, f"there is no payment {row.parent_reference!r} to refund")
        if payment.currency != row.money.currency or row.money > payment.refundable:
            raise RowRefused(
                row.line_no, f"{payment.refundable} is left to refund, not {row.money}"
            )
        payment.amount_refunded += row.money.amount
        refunds.append(
            Refund(
                **_shared_fields(row, merchant, actor),
                payment=payment,
                status=Refund.Status.SUCCEEDED,
            )
        )
    _create(Refund, refunds, new)
    for refund in refunds:
        Payment.objects.filter(pk=refund.payment_id).update(
            amount_refunded=F("amount_refunded") + refund.amount
        )
    post_all(
        [
            entry_for_refund(refund, row.effective_at)
            for refund, row in zip(refunds, new, strict=True)
        ]
    )


def _shared_fields(row: HistoryRow, merchant: Merchant, actor: Actor) -> dict[str, Any]:
    return {
        "merchant": merchant,
        "idempotency_key": row.idempotency_key,
        "request_digest": row.digest,
        "reference": row.reference,
        "amount": row.money.amount,
        "currency": row.money.currency,
        "created_by": str(actor),
        "created_at": row.effective_at,
        "effective_at": row.effective_at,
        "settlement_currency": row.settlement_currency,
        "settlement_due_on": row.settlement_due_on,
        "processor_fee_expected": None if row.fee_expected is None else row.fee_expected.amount,
        "processor_fee_currency": "" if row.fee_expected is None else row.fee_expected.currency,
    }


def _merchants(chunk: list[HistoryRow]) -> dict[str, Merchant]:
    codes = {row.merchant for row in chunk}
    Merchant.objects.bulk_create(
        [Merchant(code=code, name=code) for code in sorted(codes)], ignore_conflicts=True
    )
    return {merchant.code: merchant for merchant in Merchant.objects.filter(code__in=codes)}


def _new_rows(
    chunk: list[HistoryRow],
    model: type[Payment] | type[Refund],
    merchants: dict[str, Merchant],
    counts: ImportCounts,
) -> list[HistoryRow]:
    """Rows not loaded before; counts both kinds. The same id with other content is refused."""
    known = {
        (row.merchant_id, row.idempotency_key): row.request_digest
        for row in model._default_manager.filter(
            idempotency_key__in=[row.idempotency_key for row in chunk]
        ).only("merchant_id", "idempotency_key", "request_digest")
    }
    new = []
    for row in chunk:
        key = (merchants[row.merchant].pk, row.idempotency_key)
        digest = known.get(key)
        if digest is None:
            new.append(row)
            known[key] = row.digest
            counts.created += 1
            counts.sums[row.money.currency] += row.money.amount
        elif digest == row.digest:
            counts.known += 1
        else:
            raise RowRefused(row.line_no, f"{row.external_id} was loaded before with other content")
    return new


def _create(model: type[Any], records: Iterable[Any], rows: list[HistoryRow]) -> None:
    try:
        model._default_manager.bulk_create(list(records))
    except IntegrityError as refusal:
        if "reference_unique" not in str(refusal):
            raise
        lines = f"{rows[0].line_no} to {rows[-1].line_no}"
        raise Invalid(f"Lines {lines}: a reference occurs twice for one merchant.") from refusal
