"""Claim, call, complete: each payment is charged once and booked once, whatever happens between."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.embedded.places import CHECKOUT
from ledger import sql
from ledger.models import JournalEntry
from payments import work
from payments.calendar import add_business_days
from payments.gateways.base import Declined, FailureCode, Unanswered
from payments.gateways.simulator import ACCEPTED_TOKENS, TOKENS
from payments.models import Payment, Refund, SimulatedOperation
from payments.services.merchants import set_fee_plan
from payments.services.processing import process_payments, process_refunds
from tests.factories import MerchantFactory, PaymentFactory, RefundFactory, eur
from tests.support.books import balances, t_accounts
from tests.support.gateways import EventfulGateway, use_gateway

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_due(model: type[Payment] | type[Refund] = Payment) -> None:
    """Time passes: leases and pauses are over."""
    model.objects.filter(due_at__isnull=False).update(
        due_at=timezone.now(), leased_until=timezone.now()
    )


# --- What becomes of a payment -------------------------------------------------------------


@pytest.mark.django_db
def test_accepted_payment_succeeds_with_its_fee_and_entry(books: None) -> None:
    payment = PaymentFactory(merchant__code="shop", money=eur("100.00"))

    assert process_payments() == 1

    payment.refresh_from_db()
    operation = SimulatedOperation.objects.get()
    assert (payment.status, payment.due_at, payment.attempts) == ("SUCCEEDED", None, 1)
    assert payment.fee_money == eur("3.20")
    assert payment.gateway_reference == operation.gateway_reference
    assert (payment.failure_code, payment.failure_reason) == ("", "")
    assert payment.effective_at is not None
    assert payment.settlement_due_on == add_business_days(payment.effective_at.date(), 2)
    assert (payment.processor_fee_expected, payment.processor_fee_currency) == (1_65, "EUR")
    entry = JournalEntry.objects.get()
    assert (entry.idempotency_key, entry.effective_at) == (
        f"payment:{payment.public_id}",
        payment.effective_at,
    )
    assert t_accounts(payment.public_id) == [
        ("debit", "clearing:sim:EUR", 100_00),
        ("credit", "merchant:shop:payable:EUR", 100_00),
        ("debit", "merchant:shop:payable:EUR", 3_20),
        ("credit", "income:fees:EUR", 3_20),
    ]
    assert (operation.key, operation.kind, operation.money) == (
        payment.public_id,
        "charge",
        eur("100.00"),
    )
    assert (operation.merchant, operation.reference) == ("shop", payment.reference)


@pytest.mark.django_db
@pytest.mark.parametrize("source", ACCEPTED_TOKENS)
def test_token_that_is_accepted_at_once_or_when_asked_again(source: str) -> None:
    payment = PaymentFactory(source=source)

    process_payments()
    make_due()
    process_payments()

    payment.refresh_from_db()
    assert payment.status == "SUCCEEDED"


@pytest.mark.django_db
def test_every_other_token_is_declined_with_a_code_of_the_documented_list() -> None:
    merchant = MerchantFactory()
    declined = TOKENS.keys() - ACCEPTED_TOKENS.keys()
    payments = {token: PaymentFactory(merchant=merchant, source=token) for token in declined}

    process_payments()

    for token, payment in payments.items():
        payment.refresh_from_db()
        assert payment.status == "FAILED"
        assert TOKENS[token] == f"declined, `{payment.failure_code}`"
        assert payment.failure_reason == FailureCode(payment.failure_code).label


@pytest.mark.parametrize("token", TOKENS)
def test_token_is_in_the_readme(token: str) -> None:
    assert f"`{token}`" in (CHECKOUT / "README.md").read_text()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "code", "reason"),
    [
        ("tok_insufficient_funds", "insufficient_funds", "The card has insufficient funds."),
        ("tok_declined", "card_declined", "The card was declined."),
        ("tok_nobody_knows", "card_declined", "The card was declined."),
    ],
)
def test_declined_payment_fails_and_nothing_moves(source: str, code: str, reason: str) -> None:
    payment = PaymentFactory(source=source)

    process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.due_at) == ("FAILED", None)
    assert (payment.failure_code, payment.failure_reason) == (code, reason)
    assert (payment.fee, payment.gateway_reference, payment.effective_at) == (0, "", None)
    assert not JournalEntry.objects.exists()
    assert process_payments() == 0


@pytest.mark.django_db
def test_unanswered_payment_is_unknown_until_the_gateway_is_asked(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = use_gateway(monkeypatch, EventfulGateway())
    payment = PaymentFactory(source="tok_timeout")
    before = timezone.now()

    process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.attempts, payment.failure_code) == ("PROCESSING", 1, "")
    assert payment.due_at is not None
    assert before + timedelta(seconds=5) <= payment.due_at <= timezone.now() + timedelta(seconds=5)
    assert not JournalEntry.objects.exists()
    assert process_payments() == 0

    make_due()
    process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.attempts, payment.due_at) == ("SUCCEEDED", 2, None)
    assert gateway.asked == gateway.looked_up == [payment.public_id]
    assert SimulatedOperation.objects.count() == JournalEntry.objects.count() == 1


@pytest.mark.django_db
def test_server_error_is_asked_again_under_the_same_key(books: None) -> None:
    payment = PaymentFactory(source="tok_error_once")

    process_payments()

    payment.refresh_from_db()
    assert payment.status == "PROCESSING"
    assert SimulatedOperation.objects.get().outcome == "broken"
    assert not JournalEntry.objects.exists()

    make_due()
    process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.attempts) == ("SUCCEEDED", 2)
    assert SimulatedOperation.objects.get().outcome == "accepted"
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db
def test_gateway_that_never_answers_is_asked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_gateway(monkeypatch, EventfulGateway(outcome=Unanswered("timeout")))
    payment = PaymentFactory()
    pauses = []

    for _ in range(4):
        asked_at = timezone.now()
        process_payments()
        payment.refresh_from_db()
        assert payment.due_at is not None
        pauses.append(round((payment.due_at - asked_at).total_seconds()))
        make_due()

    assert pauses == [5, 10, 20, 40]
    assert (payment.status, payment.attempts) == ("PROCESSING", 4)


def test_pauses_double_up_to_a_quarter_of_an_hour_and_become_hours() -> None:
    pauses = [
        (work.retry_at(attempts, now=MONDAY) - MONDAY).total_seconds()
        for attempts in (1, 2, 3, 8, 9, 12, 13, 10_000)
    ]

    assert pauses == [5, 10, 20, 640, 900, 900, 3600, 3600]


@pytest.mark.django_db
def test_batch_of_different_outcomes_is_written_in_one_go(books: None) -> None:
    merchant = MerchantFactory()
    sources = ["tok_visa", "tok_declined", "tok_timeout", "tok_mastercard", "tok_error_once"]
    payments = [PaymentFactory(merchant=merchant, source=source) for source in sources]

    assert process_payments() == 5

    states = [Payment.objects.get(pk=payment.pk).status for payment in payments]
    assert states == ["SUCCEEDED", "FAILED", "PROCESSING", "SUCCEEDED", "PROCESSING"]
    assert JournalEntry.objects.count() == 2


@pytest.mark.django_db
def test_large_batch_takes_as_many_statements_as_a_small_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sql, "LARGE_CHARS", 10**9)  # Django is to see them all
    merchant = MerchantFactory()
    PaymentFactory(merchant=merchant)
    process_payments()

    PaymentFactory(merchant=merchant)
    with CaptureQueriesContext(connection) as one:
        assert process_payments() == 1
    for _ in range(100):
        PaymentFactory(merchant=merchant)
    with CaptureQueriesContext(connection) as many:
        assert process_payments() == 100

    assert len(many) == len(one)


@pytest.mark.django_db
def test_fee_plan_in_force_today_counts() -> None:
    merchant = MerchantFactory(fees={})
    today = timezone.now().date()
    for day, basis_points in ((-10, 100), (0, 200), (1, 300)):
        set_fee_plan(
            merchant,
            currency="EUR",
            basis_points=basis_points,
            valid_from=today + timedelta(days=day),
        )
    payment = PaymentFactory(merchant=merchant, money=eur("100.00"))

    process_payments()

    payment.refresh_from_db()
    assert payment.fee_money == eur("2.00")


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
        (date(2026, 3, 2), 2, date(2026, 3, 4)),  # Monday → Wednesday
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # Friday → Monday
        (date(2026, 3, 6), 2, date(2026, 3, 10)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),  # Saturday → Monday
        (date(2026, 3, 8), 2, date(2026, 3, 10)),
    ],
)
def test_settlement_days_are_business_days(day: date, days: int, expected: date) -> None:
    assert add_business_days(day, days) == expected


# --- What becomes of a refund --------------------------------------------------------------


@pytest.mark.django_db
def test_declined_refund_fails_and_its_amount_is_refundable_again(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = RefundFactory(money=eur("30.00"))
    before = balances()
    use_gateway(monkeypatch, EventfulGateway(outcome=Declined("card_closed", "It is closed.")))

    assert process_refunds() == 1

    refund.refresh_from_db()
    assert (refund.status, refund.failure_code) == ("FAILED", "card_closed")
    assert (refund.failure_reason, refund.due_at) == ("It is closed.", None)
    assert Payment.objects.get().refundable == eur("100.00")
    assert balances() == before


@pytest.mark.django_db
def test_unanswered_refund_keeps_its_amount_until_it_is_known(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = RefundFactory(money=eur("30.00"))
    before = balances()
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(outcome=Unanswered("timeout")))
        process_refunds()

    refund.refresh_from_db()
    assert (refund.status, balances()) == ("PROCESSING", before)
    assert Payment.objects.get().refundable == eur("70.00")

    make_due(Refund)
    process_refunds()

    refund.refresh_from_db()
    assert (refund.status, refund.attempts) == ("SUCCEEDED", 2)
    assert SimulatedOperation.objects.filter(kind="refund").count() == 1
    assert balances() != before


# --- Claims --------------------------------------------------------------------------------
