"""Disputes: the money goes at once, and comes back when they are won."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.errors import InvalidTransition
from ledger.models import AuditEvent, JournalEntry
from ledger.money import Money
from payments.errors import (
    CurrencyMismatch,
    DisputeExceedsPayment,
    DisputeReferenceTaken,
    PaymentNotDisputable,
)
from payments.models import Dispute, Payment
from payments.services.disputes import (
    DisputeNotice,
    lose_dispute,
    open_dispute,
    record_disputes,
    review_dispute,
    win_dispute,
)
from tests.factories import (
    ACTOR,
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.books import balances, t_accounts
from tests.support.races import run_together

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)


def notice(payment: Payment, money: Money, reference: str = "du_1") -> DisputeNotice:
    return DisputeNotice(payment, reference, money, NOON)


def history(dispute: Dispute) -> list[tuple[str, str, dict[str, str]]]:
    events = AuditEvent.objects.filter(subject=dispute.public_id).order_by("pk")
    return [(event.action, event.actor_id, event.before | event.after) for event in events]


@pytest.mark.django_db
def test_opened_dispute_takes_the_money_from_the_merchant(books: None) -> None:
    payment = SucceededPaymentFactory(merchant__code="shop", money=eur("100.00"))

    dispute = open_dispute(notice(payment, eur("40.00")), actor=ACTOR)

    assert (dispute.status, dispute.money, dispute.fee) == ("OPEN", eur("40.00"), 0)
    assert (dispute.merchant, dispute.effective_at) == (payment.merchant, NOON)
    assert t_accounts(dispute.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 40_00),
        ("credit", "clearing:sim:EUR", 40_00),
    ]
    assert history(dispute) == [("dispute.opened", "tests", {"amount": "40.00 EUR"})]


@pytest.mark.django_db
def test_dispute_is_opened_once_per_reference(books: None) -> None:
    payment = SucceededPaymentFactory()
    first = open_dispute(notice(payment, eur("40.00")), actor=ACTOR)

    assert open_dispute(notice(payment, eur("40.00")), actor=ACTOR) == first
    with pytest.raises(DisputeReferenceTaken):
        open_dispute(notice(payment, eur("41.00")), actor=ACTOR)
    with pytest.raises(DisputeReferenceTaken):
        open_dispute(notice(SucceededPaymentFactory(), eur("40.00")), actor=ACTOR)

    assert JournalEntry.objects.filter(kind="dispute").count() == 1
    assert len(history(first)) == 1


@pytest.mark.django_db(transaction=True)
def test_dispute_notified_five_times_at_once_is_opened_once() -> None:
    payment = SucceededPaymentFactory()

    outcomes = run_together(*[lambda: open_dispute(notice(payment, eur("40.00")), actor=ACTOR)] * 5)

    assert set(outcomes) == {Dispute.objects.get()}
    assert JournalEntry.objects.filter(kind="dispute").count() == 1


@pytest.mark.django_db
def test_dispute_that_makes_no_sense_is_refused(books: None) -> None:
    merchant = MerchantFactory()
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    waiting = PaymentFactory(merchant=merchant)
    before = balances()

    for wrong, refusal in (
        (notice(payment, eur("100.01")), DisputeExceedsPayment),
        (notice(payment, eur("0.00")), DisputeExceedsPayment),
        (notice(payment, Money(1_00, "USD")), CurrencyMismatch),
        (notice(waiting, eur("1.00")), PaymentNotDisputable),
    ):
        with pytest.raises(refusal):
            open_dispute(wrong, actor=ACTOR)

    assert not Dispute.objects.exists()
    assert balances() == before


@pytest.mark.django_db
def test_won_dispute_gives_the_money_back_and_keeps_the_fee(books: None) -> None:
    payment = SucceededPaymentFactory(merchant__code="shop", money=eur("100.00"))
    (dispute,) = record_disputes([notice(payment, eur("40.00"))])
    Dispute.objects.update(fee=15_00)
    review_dispute(dispute, actor=ACTOR)
    before = balances()

    for _ in range(2):
        dispute = win_dispute(dispute, effective_at=LATER, actor=ACTOR)

    assert dispute.status == "WON"
    assert t_accounts(dispute.public_id) == [
        ("debit", "clearing:sim:EUR", 40_00),
        ("credit", "merchant:shop:payable:EUR", 40_00),
    ]
    entry = JournalEntry.objects.get(kind="dispute_won")
    assert entry.effective_at == LATER
    assert balances()["income:fees:EUR"] == before["income:fees:EUR"]
    assert history(dispute) == [
        ("dispute.under_review", "tests", {"status": "OPEN"}),
        ("dispute.won", "tests", {"status": "UNDER_REVIEW"}),
    ]


@pytest.mark.django_db
def test_lost_dispute_posts_nothing_more(books: None) -> None:
    dispute = DisputeFactory()
    before = balances()

    for _ in range(2):
        dispute = lose_dispute(dispute, actor=ACTOR)

    assert (dispute.status, balances()) == ("LOST", before)
    assert [action for action, _, _ in history(dispute)] == ["dispute.opened", "dispute.lost"]


@pytest.mark.django_db
def test_dispute_that_is_over_stays_as_it_is(books: None) -> None:
    lost, won = DisputeFactory(), DisputeFactory()
    lose_dispute(lost, actor=ACTOR)
    win_dispute(won, effective_at=LATER, actor=ACTOR)
    before = balances()

    with pytest.raises(InvalidTransition):
        win_dispute(lost, effective_at=LATER, actor=ACTOR)
    with pytest.raises(InvalidTransition):
        lose_dispute(won, actor=ACTOR)
    with pytest.raises(InvalidTransition):
        review_dispute(won, actor=ACTOR)

    assert balances() == before
