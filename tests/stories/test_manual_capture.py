"""Authorised, captured in part, given back, disputed early: from the API's services to a proof."""

import pytest
from django.utils import timezone

from config.demo import day, report
from config.demo.seed import MARKETS, seed_demo
from ledger.actors import Actor
from ledger.models import JournalEntry
from ledger.money import Money
from payments.models import Dispute, Merchant, Payment, SimulatedOperation
from payments.services.authorisations import cancel_payment, capture_payment
from payments.services.disputes import DisputeNotice, open_dispute, win_dispute
from payments.services.payments import PaymentWish, create_payment
from payments.services.processing import process_payments, process_refunds
from payments.services.refunds import RefundWish, create_refund
from reconciliation.models import Match
from reconciliation.selectors import tie_outs
from settlements.models import Settlement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ACTOR = Actor.system("story")


def authorise(merchant: Merchant, currency: str, source: str = "tok_visa") -> Payment:
    number = Payment.objects.count()
    return create_payment(
        merchant,
        PaymentWish(Money(10_000 + number, currency), source, capture=Payment.Capture.MANUAL),
        idempotency_key=f"order-{number}",
        actor=ACTOR,
    )


def test_partial_captures_from_authorisation_to_proof() -> None:
    seed_demo()
    payments = [
        authorise(Merchant.objects.get(code=code), currency)
        for code, currency in MARKETS
        for _ in range(8)
    ]
    assert process_payments() == 40
    assert set(Payment.objects.values_list("status", flat=True)) == {"AUTHORIZED"}
    for payment in payments[::4]:
        cancel_payment(payment, actor=ACTOR)
    for payment in payments[1::4]:
        capture_payment(payment, money=Money(6_000, payment.currency), actor=ACTOR)
    for payment in payments[2::4]:
        capture_payment(payment, actor=ACTOR)
    assert process_payments() == 30
    create_refund(
        payments[1],
        RefundWish(payments[1].public_id, Money(6_000, payments[1].currency)),
        idempotency_key="refund-1",
        actor=ACTOR,
    )
    assert process_refunds() == 1

    evening = day.close(seed=1, say=lambda _: None)

    states = [Payment.objects.get(pk=payment.pk).status for payment in payments[:4]]
    assert states == ["CANCELED", "SUCCEEDED", "SUCCEEDED", "AUTHORIZED"]
    partial = Settlement.objects.filter(payment__in=payments[1::4])
    assert [line.gross for line in partial] == [6_000] * 10
    assert Settlement.objects.filter(payment__isnull=False).count() == 20
    assert SimulatedOperation.objects.filter(kind="authorize", reported_on=None).count() == 40
    # One capture is missing from the report.
    assert Match.objects.filter(kind="payment").count() == 19
    assert day.unexpected(evening) == []
    assert [proof.difference.amount for proof in tie_outs(evening.day)] == [0] * 6
    assert report.failures(evening) == []


def test_dispute_the_gateway_told_us_about_is_matched_and_not_opened_again() -> None:
    seed_demo()
    for code, currency in MARKETS:
        merchant = Merchant.objects.get(code=code)
        for source in ["tok_visa"] * 7 + ["tok_dispute"]:
            authorise(merchant, currency, source)
    process_payments()
    for payment in Payment.objects.all():
        capture_payment(payment, actor=ACTOR)
    process_payments()
    payment = Payment.objects.filter(source="tok_dispute").earliest("pk")
    told = open_dispute(
        DisputeNotice(payment, "du_1", payment.captured_money, timezone.now()), actor=ACTOR
    )

    evening = day.close(seed=1, say=lambda _: None)

    assert Dispute.objects.count() == 5
    assert Match.objects.get(dispute__payment=payment).dispute == told
    assert JournalEntry.objects.filter(kind="dispute").count() == 5
    assert day.unexpected(evening) == []
    assert report.failures(evening) == []


def test_dispute_won_before_it_was_settled_costs_the_merchant_nothing() -> None:
    seed_demo()
    for code, currency in MARKETS:
        for _ in range(8):
            authorise(Merchant.objects.get(code=code), currency)
    process_payments()
    for payment in Payment.objects.all():
        capture_payment(payment, actor=ACTOR)
    process_payments()
    payment = Payment.objects.earliest("pk")
    dispute = open_dispute(
        DisputeNotice(payment, "du_1", payment.captured_money, timezone.now()), actor=ACTOR
    )
    win_dispute(dispute, effective_at=timezone.now(), actor=ACTOR)

    evening = day.close(seed=1, say=lambda _: None)

    opened = Settlement.objects.get(dispute=dispute)
    won = Settlement.objects.get(won_dispute=dispute)
    assert (opened.gross, won.gross) == (-dispute.amount, dispute.amount)
    assert opened.net + won.net == 0
    assert [proof.difference.amount for proof in tie_outs(evening.day)] == [0] * 6
