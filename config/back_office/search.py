"""Anything by any of its ids, references or amounts, among what the viewer may see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.back_office.figures import may_see, record_url
from ledger.errors import DomainError
from ledger.models import Account, ChangeRequest, Hold, JournalEntry
from ledger.money import CURRENCY_EXPONENTS, Money
from payments.models import (
    AccountReport,
    ApiKey,
    Dispute,
    Event,
    Gateway,
    Merchant,
    Payment,
    Refund,
    Transfer,
)
from payments.taken import taken_between
from reconciliation.models import (
    Discrepancy,
    FeeGroup,
    ProcessorPayout,
    ReconciliationRun,
    SignOff,
    SourceAccount,
    StatementFile,
    StatementLine,
    WriteOff,
)
from settlements.models import Adjustment, Payout, PayoutFile, SettlementBatch

BY_PREFIX: dict[str, type[Model]] = {
    "pay": Payment,
    "re": Refund,
    "dp": Dispute,
    "tr": Transfer,
    "rep": AccountReport,
    "mer": Merchant,
    "key": ApiKey,
    "evt": Event,
    "acct": Account,
    "je": JournalEntry,
    "hold": Hold,
    "chg": ChangeRequest,
    "sb": SettlementBatch,
    "mpo": Payout,
    "pf": PayoutFile,
    "adj": Adjustment,
    "st": StatementFile,
    "run": ReconciliationRun,
    "disc": Discrepancy,
    "fees": FeeGroup,
    "wo": WriteOff,
    "so": SignOff,
}
HITS_PER_KIND = 10
TEXT_LENGTH_MAX = 255
# Amounts have no index: as far back as this, and for no longer than this.
AMOUNT_DAYS = 30
PATIENCE_MILLISECONDS = 1_500
_AMOUNT = re.compile(r"(-?\d{1,15}(?:\.\d{1,4})?)(?:\s*([A-Za-z]{3}))?")


@dataclass(frozen=True, slots=True)
class Hit:
    kind: str
    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """`left_out` names the kinds that there was no time to look through."""

    hits: tuple[Hit, ...]
    left_out: tuple[str, ...] = ()


def find(request: HttpRequest, text: str) -> Found:
    """Whatever has this id; else what has it as reference, code or amount."""
    text = text.strip()[:TEXT_LENGTH_MAX]
    if not text or "\0" in text:
        return Found(())
    exact = _by_id(request, text)
    if exact:
        return Found(exact)
    hits: list[Hit] = []
    left_out = []
    for model, rows in (*_by_reference(text), *_by_amount(text)):
        if not may_see(request, model):
            continue
        try:
            hits += _patiently(rows)
        except DatabaseError:
            left_out.append(str(model._meta.verbose_name_plural))
    return Found(tuple(dict.fromkeys(hits)), tuple(left_out))


def _by_id(request: HttpRequest, text: str) -> tuple[Hit, ...]:
    # The matter of a posting can be a line or a payout row: `stl_12`, `payout:12`.
    line = re.fullmatch(r"(?:stl_|payout:)(\d{1,18})", text)
    model = StatementLine if line else BY_PREFIX.get(text.partition("_")[0])
    if model is None or not may_see(request, model):
        return ()
    named = {"pk": line[1]} if line else {"public_id": text}
    return tuple(_hit(row) for row in model._default_manager.filter(**named))


Look = tuple[type[Model], QuerySet[Any]]


def _by_reference(text: str) -> Iterator[Look]:
    """Each through an index that leads to it."""
    gateways, accounts = Gateway.objects.values("pk"), SourceAccount.objects.values("pk")
    here = Q(gateway__in=gateways)
    wanted: dict[type[Model], Q] = {
        Merchant: Q(code=text) | Q(email__iexact=text),
        Account: Q(code=text),
        Payment: here & Q(reference=text) | here & Q(gateway_reference=text) & ~Q(reference=text),
        Refund: Q(reference=text),
        Dispute: Q(reference=text),
        ProcessorPayout: Q(external_id=text),
        StatementLine: Q(reference=text) | Q(source_account__in=accounts) & _has_line_id(text),
        Discrepancy: Q(reference=text),
        JournalEntry: Q(reference=text),
    }
    for model, where in wanted.items():
        yield model, model._default_manager.filter(where)


def _has_line_id(text: str) -> Q:
    """Of a line whose reporter calls it so: an index has identities, `kind:id:digest`."""
    starts = [Q(identity__startswith=f"{kind}:{text}:") for kind in StatementLine.Kind.values]
    return reduce(or_, starts) & Q(external_id=text)


def _by_amount(text: str) -> Iterator[Look]:
    wanted = _AMOUNT.fullmatch(text.replace(",", ""))
    if wanted is None:
        return
    currencies = [wanted[2].upper()] if wanted[2] else sorted(_currencies_used())
    money = [each for currency in currencies if (each := _money(wanted[1], currency)) is not None]
    now = timezone.now()
    recent = now - timedelta(days=AMOUNT_DAYS)
    amounts = _any_of("amount", "currency", money)
    nets = _any_of("net", "source_account__currency", money)
    yield Discrepancy, Discrepancy.objects.filter(amounts)
    yield Payout, Payout.objects.filter(amounts)
    yield WriteOff, WriteOff.objects.filter(amounts)
    yield Payment, Payment.objects.filter(amounts).filter(taken_between(recent, now))
    yield StatementLine, StatementLine.objects.filter(nets, booked_on__gte=recent.date())


def _any_of(field: str, currency: str, money: list[Money]) -> Q:
    """One of the amounts, whichever sign."""
    where = Q(pk__in=[])
    for each in money:
        both = {each.amount, -each.amount}
        where |= Q(**{f"{field}__in": sorted(both), currency: each.currency})
    return where


def _currencies_used() -> set[str]:
    return set(Account.objects.order_by().values_list("currency", flat=True).distinct())


def _money(text: str, currency: str) -> Money | None:
    try:
        return Money.of(text.lstrip("-"), currency) if currency in CURRENCY_EXPONENTS else None
    except DomainError:
        return None


def _patiently(rows: QuerySet[Any]) -> list[Hit]:
    """The first of them. Raises DatabaseError if it takes too long."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MILLISECONDS}")
        return [_hit(row) for row in rows[:HITS_PER_KIND]]


def _hit(row: Any) -> Hit:
    details = [str(getattr(row, name)) for name in _DETAILS if getattr(row, name, "")]
    kind = str(row._meta.verbose_name)
    return Hit(kind, str(row), " · ".join(details), record_url(row))


_DETAILS = ("code", "kind", "reference", "money", "net_money", "status", "booked_on", "currency")
