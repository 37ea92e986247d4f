"""create_payment: written down once per key, due at once, nothing booked."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.errors import Conflict, Invalid
from ledger.models import JournalEntry
from ledger.money import Money
from payments.errors import NoGateway, ReferenceTaken
from payments.models import Gateway, Payment
from payments.services.gateways import define_gateway
from payments.services.payments import PaymentWish, create_payment
from tests.factories import ACTOR, MerchantFactory, PaymentFactory, eur
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

    payment = create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    payment.refresh_from_db()
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
@pytest.mark.parametrize("other", [WISH, replace(WISH, money=eur("100.01"), reference="order-8")])
def test_key_of_an_earlier_payment_makes_no_other(other: PaymentWish) -> None:
    """Also when its kept answer was purged: the key is on the payment itself."""
    merchant = MerchantFactory()
    create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    with pytest.raises(Conflict) as refusal:
        create_payment(merchant, other, idempotency_key="k1", actor=ACTOR)

    assert refusal.value.code in {"duplicate_reference", "idempotency_key_expired"}
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_key_belongs_to_its_merchant() -> None:
    for _ in range(2):
        create_payment(MerchantFactory(), WISH, idempotency_key="k1", actor=ACTOR)

    assert Payment.objects.count() == 2


@pytest.mark.django_db
def test_reference_of_another_payment_is_refused() -> None:
    merchant = MerchantFactory()
    create_payment(merchant, WISH, idempotency_key="k1", actor=ACTOR)

    with pytest.raises(ReferenceTaken) as refusal:
        create_payment(merchant, WISH, idempotency_key="k2", actor=ACTOR)

    assert refusal.value.code == "duplicate_reference"
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
        ({"status": "SUCCEEDED"}, "payments_payment_captured_iff_succeeded"),
        (
            {"status": "SUCCEEDED", "amount_captured": 100_00},
            "payments_payment_effective_iff_succeeded",
        ),
        ({"amount_captured": 1}, "payments_payment_captured_iff_succeeded"),
        ({"amount_to_capture": 100_01}, "payments_payment_captures_within"),
        ({"effective_at": timezone.now()}, "payments_payment_effective_iff_succeeded"),
        ({"status": "FAILED"}, "payments_payment_final_is_not_due"),
        ({"amount_refunded": 1}, "payments_payment_refunds_within"),
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
