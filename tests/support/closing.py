"""A shop with one of everything that can be settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.actors import Actor
from ledger.models import JournalEntry
from payments.models import Merchant
from payments.services.disputes import win_dispute
from settlements.models import Payout, ReserveHold, Settlement, SettlementBatch
from settlements.services.adjustments import (
    approve_adjustment,
    request_adjustment,
)
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import (
    ALWAYS,
    DisputeFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)

SYSTEM = Actor.system("settlement")
MAKER, CHECKER = Actor("user", "1", "maker"), Actor("user", "2", "checker")
DAY = timedelta(days=1)


def shop() -> Merchant:
    """Without fees, and a tenth of what it takes is kept back for a day."""
    merchant = MerchantFactory(code="shop", fees={})
    terms = ScheduleTerms(reserve_basis_points=1_000, reserve_days=1)
    set_schedule(merchant, terms, valid_from=ALWAYS, actor=SYSTEM)
    return merchant


def everything(merchant: Merchant) -> date:
    """One of each thing that a batch can have, but a canceled payout; the day they are all of."""
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    SucceededRefundFactory(payment=payment, money=eur("20.00"))
    dispute = DisputeFactory(payment=payment, money=eur("30.00"))
    win_dispute(dispute, effective_at=dispute.effective_at, actor=SYSTEM)
    asked = request_adjustment(merchant, eur("5.00"), reason="goodwill", actor=MAKER)
    approve_adjustment(asked, actor=CHECKER)
    return payment.effective_at.date()


def nothing_is_settled() -> bool:
    kinds = ("settlement", "reserve_held", "reserve_released")
    return not (
        SettlementBatch.objects.exists()
        or Settlement.objects.exists()
        or ReserveHold.objects.exists()
        or Payout.objects.exists()
        or JournalEntry.objects.filter(kind__in=kinds).exists()
    )


@contextmanager
def refused(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        yield
    cause: Any = refusal.value.__cause__
    assert cause.diag.constraint_name == constraint


def run_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0
