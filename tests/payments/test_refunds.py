"""create_refund: counted against the payment from the moment it is asked for."""

import threading

import pytest
from django.db.models import F

from ledger.errors import Invalid
from ledger.money import Money
from payments.errors import (
    CurrencyMismatch,
    KeyOfEarlierRefund,
    PaymentNotRefundable,
    ReferenceTaken,
    RefundExceedsPayment,
)
from payments.gateways.base import Declined
from payments.models import Payment, Refund
from payments.services.processing import process_payments, process_refunds
from payments.services.refunds import RefundWish, create_refund
from tests.factories import (
    ACTOR,
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import assert_books_balance, balances
from tests.support.gateways import EventfulGateway, use_gateway
from tests.support.races import run_together


def ask(payment: Payment, money: Money | None, key: str = "r1", reference: str = "") -> Refund:
    wish = RefundWish(payment.public_id, money, reference)
    return create_refund(payment, wish, idempotency_key=key, actor=ACTOR)


@pytest.mark.django_db
def test_refund_is_written_down_and_counts_at_once(books: None) -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    before = balances()

    refund = ask(payment, eur("30.00"))

    payment.refresh_from_db()
    assert refund.public_id.startswith("re_")
    assert (refund.status, refund.money) == ("PENDING", eur("30.00"))
    assert (refund.merchant, refund.reference) == (payment.merchant, refund.public_id)
    assert refund.due_at is not None
    assert payment.refundable == eur("70.00")
    assert balances() == before


@pytest.mark.django_db
def test_refund_without_an_amount_gives_back_all_that_is_left() -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    ask(payment, eur("30.00"))

    refund = ask(payment, None, key="r2")

    payment.refresh_from_db()
    assert refund.money == eur("70.00")
    assert payment.refundable == eur("0.00")


@pytest.mark.django_db
def test_refund_moves_the_money_when_the_gateway_has_accepted_it(books: None) -> None:
    refund = SucceededRefundFactory(payment__merchant__code="shop", money=eur("30.00"))

    assert (refund.status, refund.due_at, refund.attempts) == ("SUCCEEDED", None, 1)
    assert refund.gateway_reference.startswith("sim_")
    assert refund.effective_at is not None
    assert (refund.processor_fee_expected, refund.processor_fee_currency) == (0, "EUR")
    owner = refund.merchant.public_id
    assert balances() == {
        "clearing:sim:EUR": (100_00, 30_00),
        f"{owner}merchant:shop:payable:EUR": (33_20, 100_00),
        "income:fees:EUR": (0, 3_20),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["70.01", "100.00", "1000000.00"])
def test_refund_cannot_exceed_what_is_left(asked: str) -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    ask(payment, eur("30.00"))
    before = balances()

    with pytest.raises(RefundExceedsPayment) as refusal:
        ask(payment, eur(asked), key="r2")

    payment.refresh_from_db()
    assert refusal.value.code == "amount_exceeds_refundable"
    assert payment.amount_refunded == 30_00
    assert Refund.objects.count() == 1
    assert balances() == before


@pytest.mark.django_db
def test_nothing_is_left_after_a_full_refund() -> None:
    refund = SucceededRefundFactory()

    with pytest.raises(RefundExceedsPayment):
        ask(refund.payment, None, key="r2")

    assert Refund.objects.get() == refund


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [0, -1])
def test_refund_is_more_than_zero(amount: int) -> None:
    payment = SucceededPaymentFactory()

    with pytest.raises(Invalid, match="more than zero"):
        ask(payment, Money(amount, "EUR"))

    assert not Refund.objects.exists()


@pytest.mark.django_db
def test_refund_is_in_the_currency_of_the_payment() -> None:
    payment = SucceededPaymentFactory()

    with pytest.raises(CurrencyMismatch) as refusal:
        ask(payment, Money(1_00, "USD"))

    assert refusal.value.code == "currency_mismatch"
    assert not Refund.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["tok_visa", "tok_declined", "tok_timeout"])
def test_only_a_succeeded_payment_can_be_refunded(source: str) -> None:
    payment = PaymentFactory(source=source)
    if source != "tok_visa":
        process_payments()

    with pytest.raises(PaymentNotRefundable) as refusal:
        ask(payment, None)

    payment.refresh_from_db()
    assert refusal.value.code == "payment_not_refundable"
    assert (payment.amount_refunded, Refund.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_key_of_an_earlier_refund_is_refused_after_its_answer_is_forgotten() -> None:
    merchant = MerchantFactory()
    payment = SucceededPaymentFactory(merchant=merchant)
    other = SucceededPaymentFactory(merchant=merchant)
    ask(payment, eur("30.00"))

    for wished_payment, money in ((payment, eur("30.00")), (payment, None), (other, eur("30.00"))):
        with pytest.raises(KeyOfEarlierRefund) as refusal:
            ask(wished_payment, money)
        assert refusal.value.code == "idempotency_key_expired"

    assert Refund.objects.count() == 1
    assert Payment.objects.filter(amount_refunded=0).get() == other


@pytest.mark.django_db
def test_reference_of_another_refund_is_refused() -> None:
    payment = SucceededPaymentFactory()
    ask(payment, eur("1.00"), reference="return-1")

    with pytest.raises(ReferenceTaken) as refusal:
        ask(payment, eur("1.00"), key="r2", reference="return-1")

    payment.refresh_from_db()
    assert refusal.value.code == "duplicate_reference"
    assert payment.amount_refunded == 1_00


@pytest.mark.django_db
def test_refund_processed_twice_is_booked_once(books: None) -> None:
    refund = SucceededRefundFactory()
    before = balances()

    assert process_refunds() == 0

    refund.refresh_from_db()
    assert (refund.attempts, balances()) == (1, before)


@pytest.mark.django_db(transaction=True)
def test_ten_refunds_of_30_at_once_leave_10_of_100() -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))

    outcomes = run_together(
        *[lambda n=n: ask(payment, eur("30.00"), key=f"r{n}") for n in range(10)]
    )

    payment.refresh_from_db()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == (
        ["Refund"] * 3 + ["RefundExceedsPayment"] * 7
    )
    assert Refund.objects.count() == 3
    assert payment.refundable == eur("10.00")


@pytest.mark.django_db(transaction=True)
def test_ten_requests_with_one_key_make_one_refund() -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))

    outcomes = run_together(*[lambda: ask(payment, eur("10.00"))] * 10)

    payment.refresh_from_db()
    assert Refund.objects.get() in outcomes
    assert sum(isinstance(outcome, KeyOfEarlierRefund) for outcome in outcomes) == 9
    assert payment.refundable == eur("90.00")


@pytest.mark.django_db(transaction=True)
def test_refunds_are_asked_for_and_booked_at_the_same_time() -> None:
    """Creating locks the payment; completing locks payments, then refunds: no deadlock."""
    payments = [SucceededPaymentFactory(money=eur("100.00")) for _ in range(5)]
    for payment in payments:
        RefundFactory(payment=payment, money=eur("10.00"))

    def refund_all(turn: str) -> None:
        for payment in payments if turn == "up" else reversed(payments):
            ask(payment, eur("10.00"), key=f"{turn}-{payment.pk}")

    outcomes = run_together(
        lambda: refund_all("up"), lambda: refund_all("down"), process_refunds, process_refunds
    )
    while process_refunds():
        pass

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert Refund.objects.filter(status="SUCCEEDED").count() == 15
    assert Payment.objects.filter(amount_refunded=F("amount") * 3 / 10).count() == 5
    assert_books_balance()


@pytest.mark.django_db(transaction=True)
def test_workers_whose_refunds_fail_at_once_do_not_deadlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has a refund of every payment, one in this order and one in the other."""
    payments = [SucceededPaymentFactory(money=eur("100.00")) for _ in range(20)]
    for payment in [*payments, *reversed(payments)]:
        RefundFactory(payment=payment, money=eur("10.00"))
    both_have_asked = threading.Barrier(2)
    declined = Declined("card_closed", "It is closed.")
    gateway = EventfulGateway(before=lambda: both_have_asked.wait(10), outcome=declined)
    use_gateway(monkeypatch, gateway)

    outcomes = run_together(*[lambda: process_refunds(limit=20)] * 2)

    assert outcomes == [20, 20]
    assert Refund.objects.filter(status="FAILED").count() == 40
    assert set(Payment.objects.values_list("amount_refunded", flat=True)) == {0}
