"""Closing business days and paying merchants out, with exact figures."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from ledger.actors import Actor
from settlements.models import Payout, Settlement, SettlementBatch
from settlements.services.batches import run_settlement
from tests.factories import (
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balance
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

SYSTEM = Actor.system("settlement")


def a_day_of(merchant):
    """100.00 and 50.00 paid, 20.00 given back: 130.00 less fees of 3.20 and 1.75."""
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    SucceededPaymentFactory(merchant=merchant, money=eur("50.00"))
    SucceededRefundFactory(payment=payment, money=eur("20.00"))
    PaymentFactory(merchant=merchant, money=eur("7.00"), source="tok_declined")
    return payment.effective_at.date()


def test_a_day_becomes_one_batch_with_a_line_per_payment_and_refund():
    merchant = MerchantFactory(code="shop")
    day = a_day_of(merchant)

    (batch,) = run_settlement(day, actor=SYSTEM)

    assert (batch.gross, batch.fee, batch.net) == (130_00, 4_95, 125_05)
    assert (batch.line_count, batch.lines.count(), batch.status) == (3, 3, "CLOSED")
    assert balance("merchant:shop:payable:EUR") == "0.00"
    assert balance("payouts:due:EUR") == "125.05"
    assert Payout.objects.get().money == eur("125.05")


def test_repeating_a_run_changes_nothing_and_late_comers_join_the_next_day():
    merchant = MerchantFactory(code="shop")
    day = a_day_of(merchant)
    run_settlement(day, actor=SYSTEM)

    assert run_settlement(day, actor=SYSTEM) == []
    SucceededPaymentFactory(merchant=merchant, money=eur("10.00"))
    assert run_settlement(day, actor=SYSTEM) == []
    (batch,) = run_settlement(day + timedelta(days=1), actor=SYSTEM)

    assert (batch.line_count, batch.net) == (1, 9_41)
    assert run_settlement(day, actor=SYSTEM) == []


def test_a_negative_day_is_carried_and_netted():
    merchant = MerchantFactory(code="shop")
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    day = payment.effective_at.date()
    run_settlement(day, actor=SYSTEM)
    SucceededRefundFactory(payment=payment, money=eur("60.00"))

    (negative,) = run_settlement(day + timedelta(days=1), actor=SYSTEM)
    SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    (positive,) = run_settlement(day + timedelta(days=2), actor=SYSTEM)

    assert (negative.net, negative.payout_amount, negative.carried_out) == (-60_00, 0, -60_00)
    assert not Payout.objects.filter(batch=negative).exists()
    assert (positive.net, positive.carried_in, positive.payout_amount) == (96_80, -60_00, 36_80)
    assert balance("merchant:shop:payable:EUR") == "0.00"


def test_a_day_ends_at_midnight_in_the_merchants_zone():
    merchant = MerchantFactory(code="shop", time_zone="Asia/Tokyo")
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    tokyo_day = payment.effective_at.astimezone(merchant.zone).date()

    assert run_settlement(tokyo_day - timedelta(days=1), actor=SYSTEM) == []
    (batch,) = run_settlement(tokyo_day, actor=SYSTEM)

    assert batch.line_count == 1


def test_a_payment_is_settled_once_whoever_tries():
    merchant = MerchantFactory(code="shop")
    day = a_day_of(merchant)
    (batch,) = run_settlement(day, actor=SYSTEM)
    line = batch.lines.exclude(payment=None).first()
    other = SettlementBatch.objects.create(
        merchant=merchant, currency="EUR", period=date(2030, 1, 1)
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        Settlement.objects.create(batch=other, payment=line.payment, gross=1, fee=0, net=1)


@pytest.mark.django_db(transaction=True)
def test_racing_runs_close_the_day_once():
    merchant = MerchantFactory(code="shop")
    day = a_day_of(merchant)

    results = run_together(*[lambda: run_settlement(day, actor=SYSTEM)] * 3)

    assert sorted(len(batches) for batches in results) == [0, 0, 1]
    assert SettlementBatch.objects.count() == 1
    assert Payout.objects.count() == 1
