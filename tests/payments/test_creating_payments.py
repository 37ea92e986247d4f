"""create_payment: written down once per key, due at once, nothing booked."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.errors import Conflict, Invalid
from ledger.models import JournalEntry
from ledger.money import Money
from payments.errors import IdempotencyMismatch, NoGateway, ReferenceTaken
from payments.models import Gateway, Payment
from payments.services.gateways import define_gateway
from payments.services.payments import PaymentWish, create_payment
from tests.factories import ACTOR, MerchantFactory, PaymentFactory, eur
from tests.support.races import run_together
from tests.support.refusals import constraint_of

WISH = PaymentWish(
    money=eur("100.00"),
    source="tok_visa",
    reference="order-7",
    description="Seven apples",
    metadata={"basket": "7"},
)


@pytest.mark.django_db
def test_payment_is_written_down_and_due_at_once() -> None:
    merchant = MerchantFactory()
    before = timezone.now()

    payment, is_replay = create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    payment.refresh_from_db()
    assert is_replay is False
    assert payment.public_id.startswith("pay_")
    assert (payment.merchant, payment.gateway.code) == (merchant, "sim")
    assert (payment.status, payment.attempts, payment.fence) == ("PENDING", 0, 0)
    assert (payment.money, payment.refundable) == (eur("100.00"), eur("0.00"))
    assert (payment.reference, payment.description) == ("order-7", "Seven apples")
    assert (payment.source, payment.metadata) == ("tok_visa", {"basket": "7"})
    assert (payment.settlement_currency, payment.fee) == ("EUR", 0)
    assert payment.created_by == "system:tests"
    assert payment.due_at is not None
    assert before <= payment.due_at <= timezone.now()
    assert payment.effective_at is None
    assert not JournalEntry.objects.exists()


@pytest.mark.django_db
def test_reference_is_the_public_id_unless_the_merchant_gives_one() -> None:
    payment = PaymentFactory()

    assert payment.reference == payment.public_id


@pytest.mark.django_db
def test_same_key_gives_the_same_payment() -> None:
    merchant = MerchantFactory()
    first, _ = create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    again, is_replay = create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    assert (again, is_replay) == (first, True)
    assert Payment.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        replace(WISH, money=eur("100.01")),
        replace(WISH, money=Money(100_00, "USD")),
        replace(WISH, source="tok_mastercard"),
        replace(WISH, reference="order-8"),
        replace(WISH, description="Eight apples"),
        replace(WISH, metadata={"basket": "8"}),
    ],
    ids=["amount", "currency", "source", "reference", "description", "metadata"],
)
def test_same_key_for_another_wish_is_refused(other: PaymentWish) -> None:
    merchant = MerchantFactory()
    create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    with pytest.raises(IdempotencyMismatch) as refusal:
        create_payment(merchant, other, idempotency_key="k1", actor=ACTOR)

    assert refusal.value.code == "idempotency_key_reused"
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_key_belongs_to_its_merchant() -> None:
    payments = [
        create_payment(MerchantFactory(), WISH, idempotency_key="k1", actor=ACTOR) for _ in range(2)
    ]

    assert [is_replay for _, is_replay in payments] == [False, False]
    assert Payment.objects.count() == 2


@pytest.mark.django_db
def test_reference_of_another_payment_is_refused() -> None:
    merchant = MerchantFactory()
    create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    with pytest.raises(ReferenceTaken) as refusal:
        create_payment(merchant, WISH, idempotency_key="k2", actor=ACTOR)

    assert (refusal.value.code, isinstance(refusal.value, Conflict)) == ("reference_taken", True)
    assert Payment.objects.get().idempotency_key == "k1"


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [0, -1])
def test_amount_is_more_than_zero(amount: int) -> None:
    wish = replace(WISH, money=Money(amount, "EUR"))

    with pytest.raises(Invalid) as refusal:
        create_payment(MerchantFactory(), wish, idempotency_key="k1", actor=ACTOR)

    assert str(refusal.value) == "The amount must be more than zero."
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_without_a_gateway_that_takes_payments_there_is_no_payment() -> None:
    merchant = MerchantFactory()
    define_gateway("sim", adapter=Gateway.Adapter.NONE)

    with pytest.raises(NoGateway) as refusal:
        create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    assert refusal.value.code == "no_gateway"
    assert not Payment.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": 0}, "payments_payment_amount_positive"),
        ({"status": "DONE", "due_at": None}, "payments_payment_status_known"),
        ({"status": "SUCCEEDED"}, "payments_payment_effective_iff_succeeded"),
        ({"effective_at": timezone.now()}, "payments_payment_effective_iff_succeeded"),
        ({"status": "FAILED"}, "payments_payment_final_is_not_due"),
        ({"amount_refunded": 100_01}, "payments_payment_refunds_within"),
        ({"amount_refunded": -1}, "payments_payment_refunds_within"),
    ],
)
def test_database_refuses_payments_that_cannot_be(
    change: dict[str, object], constraint: str
) -> None:
    payment = PaymentFactory()

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**change)

    assert constraint_of(refusal.value) == constraint


@pytest.mark.django_db(transaction=True)
def test_twenty_requests_with_one_key_make_one_payment() -> None:
    merchant = MerchantFactory()

    outcomes = run_together(
        *[lambda: create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)] * 20
    )

    payment = Payment.objects.get()
    assert sorted(is_replay for _, is_replay in outcomes) == [False] + [True] * 19
    assert {made for made, _ in outcomes} == {payment}


@pytest.mark.django_db(transaction=True)
def test_twenty_requests_with_one_key_and_two_wishes_make_one_payment() -> None:
    merchant = MerchantFactory()
    wishes = [WISH, replace(WISH, money=eur("99.00"))] * 10

    def ask(wish: PaymentWish) -> str:
        payment, _ = create_payment(merchant, wish, idempotency_key="k1", actor=ACTOR)
        return payment.public_id

    outcomes = run_together(*[lambda wish=wish: ask(wish) for wish in wishes])

    payment = Payment.objects.get()
    winners = [
        wish for wish, outcome in zip(wishes, outcomes, strict=True) if outcome == payment.public_id
    ]
    losers = [outcome for outcome in outcomes if outcome != payment.public_id]
    assert len(winners) == 10
    assert {wish.money for wish in winners} == {payment.money}
    assert {type(outcome) for outcome in losers} == {IdempotencyMismatch}
