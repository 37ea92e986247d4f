"""The whole path of the demo, in one process: from the API's services to a proof of zero."""

from collections import Counter

import pytest

from config.demo import day, report
from config.demo.seed import MARKETS, seed_demo
from ledger.actors import Actor
from ledger.money import Money
from ledger.selectors import trial_balance
from payments.models import Merchant, Payment, SimulatedOperation
from payments.services.payments import PaymentWish, create_payment
from payments.services.processing import process_payments, process_refunds
from payments.services.refunds import RefundWish, create_refund
from reconciliation.models import Match
from reconciliation.selectors import tie_outs
from settlements.models import Payout, PayoutFile, ReserveHold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ACTOR = Actor.system("story")


def take_payments(name: str) -> list[Payment]:
    """Twelve payments in each market: ten that work, one declined, one disputed."""
    sources = ["tok_visa"] * 10 + ["tok_insufficient_funds", "tok_dispute"]
    payments = []
    for code, currency in MARKETS:
        merchant = Merchant.objects.get(code=code)
        for number, source in enumerate(sources):
            wish = PaymentWish(Money(10_000 + number, currency), source)
            payment = create_payment(
                merchant, wish, idempotency_key=f"{name}-{currency}-{number}", actor=ACTOR
            )
            payments.append(payment)
    assert process_payments() == len(payments)
    return payments


def refund_half_of(payment: Payment) -> None:
    wish = RefundWish(payment.public_id, Money(payment.amount // 2, payment.currency))
    create_refund(payment, wish, idempotency_key=f"refund-{payment.pk}", actor=ACTOR)
    assert process_refunds() == 1


def test_a_day_from_payment_to_proof():
    seed_demo()
    payments = take_payments("first")
    refund_half_of(payments[0])

    evening = day.close(seed=1, say=lambda _: None)

    # Five markets: 11 of 12 payments succeed, one of those is disputed.
    assert Payment.objects.filter(status="SUCCEEDED").count() == 55
    assert Payment.objects.filter(status="FAILED").count() == 5
    assert SimulatedOperation.objects.count() == 61
    assert len(evening.batches) == 5
    assert sum(batch.line_count for batch in evening.batches) == 57
    # One line more: the bike shop's reserve, 5 % of eleven payments of 100.00 and some cents.
    assert ReserveHold.objects.values_list("merchant__code", "amount").get() == ("bike-shop", 55_03)
    # The bank refused one payout, whose successor it paid, and gave one back, which is due again.
    payouts = Counter(Payout.objects.values_list("status", flat=True))
    assert payouts == {"PAID": 4, "REJECTED": 1, "RETURNED": 1, "PENDING_APPROVAL": 1}
    assert Counter(PayoutFile.objects.values_list("status", flat=True)) == {
        "ACCEPTED": 3,
        "PARTIAL": 1,
    }
    assert sorted(kind for kind, _ in evening.planted) == [
        "amount_mismatch",
        "deposit_duplicate",
        "deposit_missing",
        "deposit_short",
        "duplicate_line",
        "fee_mismatch",
        "missing_settlement",
        "orphan_line",
        "payout_returned",
        "unexplained_bank_line",
    ]
    assert day.unexpected(evening) == []
    # One payment is missing from the report, one reference was retyped and still matched.
    assert Match.objects.filter(kind="payment").count() == 54
    assert Match.objects.filter(kind="dispute").count() == 5
    assert Match.objects.filter(kind="payout").count() == 5
    proofs = tie_outs(evening.day)
    assert len(proofs) == 6
    assert [proof.difference.amount for proof in proofs] == [0] * 6
    assert all(row.is_balanced for row in trial_balance())
    assert report.failures(evening) == []
    assert any(
        line.startswith("tie-out simpay simpay EUR") for line in report.report_lines(evening)
    )


def test_a_second_day_on_the_same_books_finds_only_its_own_faults():
    seed_demo()
    take_payments("first")
    day.close(seed=1, say=lambda _: None)
    take_payments("second")

    evening = day.close(seed=2, say=lambda _: None)

    assert day.unexpected(evening) == []
    assert report.failures(evening) == []


def test_a_day_works_with_the_rights_of_production(as_application: None) -> None:
    """As the role of docker-compose.yml, which owns nothing: settled, loaded, matched, proved."""
    seed_demo()
    take_payments("first")

    evening = day.close(seed=1, say=lambda _: None)

    assert day.unexpected(evening) == []
    assert {proof.difference.amount for proof in tie_outs(evening.day)} == {0}
