"""Payments nobody could do are given up only if no money can have moved."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.models import JournalEntry
from payments.errors import MoneyMayHaveMoved
from payments.gateways.base import Outcome
from payments.models import (
    Gateway,
    Payment,
    SimulatedOperation,
)
from payments.services.authorisations import cancel_payment, capture_payment
from payments.services.gateways import define_gateway
from payments.services.giving_up import GiveUpTooEarly
from payments.services.parking import (
    NotParkedAnyMore,
    discard,
    retry_parked,
)
from payments.services.processing import process_payments
from tests.factories import (
    AuthorizedPaymentFactory,
    PaymentFactory,
    eur,
)
from tests.support.gateways import EventfulGateway, use_gateway
from tests.support.giving_up import (
    CHECKER,
    DAY,
    MAKER,
    ask_and_die,
    assert_refused,
    evidence,
    given_up,
    mute,
    parked,
    told,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_payment_that_was_never_asked_for_fails() -> None:
    payment = PaymentFactory()

    record = given_up(payment, age=timedelta())

    assert (payment.status, payment.failure_code) == ("FAILED", "given_up")
    assert payment.failure_reason == "We could not do it and gave it up; nothing moved."
    assert (payment.due_at, record.resolution) == (None, "DISCARDED")
    assert evidence() == "The gateway was not asked."
    assert told() == [("payment.failed", payment.public_id)]
    assert not JournalEntry.objects.exists()


def test_payment_its_gateway_never_saw_fails_when_it_is_a_day_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until then a gateway may only say that asking again would be harmless."""
    payment = PaymentFactory()
    ask_and_die(monkeypatch, moment="before")
    record = parked(payment, age=timedelta(hours=23))
    assert_refused(record, GiveUpTooEarly)
    Payment.objects.update(created_at=timezone.now() - DAY)

    discard(record, actor=CHECKER)

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("FAILED", "given_up")
    assert evidence() == "The gateway never saw it."
    assert not SimulatedOperation.objects.exists()
    assert process_payments() == 0


def test_payment_its_gateway_declined_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = PaymentFactory(source="tok_declined")
    ask_and_die(monkeypatch, moment="after")

    given_up(payment, age=timedelta())

    assert (payment.status, payment.failure_code) == ("FAILED", "given_up")
    assert evidence() == "The gateway declined it: card_declined."


def test_payment_its_gateway_took_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = PaymentFactory()
    ask_and_die(monkeypatch, moment="after")
    record = parked(payment)

    assert_refused(record, MoneyMayHaveMoved)

    payment.refresh_from_db()
    assert (payment.status, payment.due_at) == ("PROCESSING", None)
    retry_parked(record, actor=MAKER, reason="It was charged.")
    process_payments()
    payment.refresh_from_db()
    assert (payment.status, SimulatedOperation.objects.count()) == ("SUCCEEDED", 1)


def test_payment_nobody_knows_about_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = PaymentFactory()
    ask_and_die(monkeypatch, moment="before")
    record = parked(payment)
    mute(monkeypatch)

    assert_refused(record, MoneyMayHaveMoved)

    payment.refresh_from_db()
    assert (payment.status, payment.due_at) == ("PROCESSING", None)


def test_payment_whose_gateway_cannot_be_asked_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payment = PaymentFactory()
    ask_and_die(monkeypatch, moment="before")
    record = parked(payment)
    define_gateway("sim", adapter=Gateway.Adapter.NONE)

    assert_refused(record, MoneyMayHaveMoved)


def test_payment_retried_while_its_gateway_is_asked_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the answer "never seen" and the end, somebody else has it charged."""
    payment = PaymentFactory()
    ask_and_die(monkeypatch, moment="before")
    record = parked(payment)

    class Slow(EventfulGateway):
        def look_up(self, requests: object) -> list[Outcome | None]:
            monkeypatch.undo()
            retry_parked(record, actor=MAKER, reason="Once more")
            process_payments()
            return [None]

    use_gateway(monkeypatch, Slow())

    with pytest.raises(NotParkedAnyMore):
        discard(record, actor=CHECKER)

    payment.refresh_from_db()
    record.refresh_from_db()
    assert (payment.status, record.resolution) == ("SUCCEEDED", "RETRIED")


def test_authorisation_a_payer_s_bank_keeps_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payment = PaymentFactory(capture=Payment.Capture.MANUAL)
    ask_and_die(monkeypatch, moment="after")

    assert_refused(parked(payment), MoneyMayHaveMoved)


@pytest.mark.parametrize("action", ["capture", "cancel"])
def test_capture_or_cancellation_given_up_leaves_the_authorisation(
    monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    payment = AuthorizedPaymentFactory(money=eur("50.00"))
    {"capture": capture_payment, "cancel": cancel_payment}[action](payment, actor=MAKER)
    ask_and_die(monkeypatch, moment="before")

    given_up(payment)

    assert (payment.status, payment.failure_code) == ("AUTHORIZED", "given_up")
    assert (payment.amount_to_capture, payment.cancel_requested_at) == (None, None)
    assert payment.due_at == payment.authorized_until
    assert (payment.attempts, payment.deaths, payment.failures) == (0, 0, 0)
    assert told()[1:] == [(f"payment.{action}_failed", payment.public_id)]
    capture_payment(payment, actor=MAKER)
    process_payments()
    payment.refresh_from_db()
    assert (payment.status, payment.captured_money) == ("SUCCEEDED", eur("50.00"))


def test_capture_that_happened_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = AuthorizedPaymentFactory()
    capture_payment(payment, actor=MAKER)
    ask_and_die(monkeypatch, moment="after")

    assert_refused(parked(payment), MoneyMayHaveMoved)


def test_authorisation_that_ran_out_expires_when_it_is_given_up() -> None:
    payment = AuthorizedPaymentFactory()
    Payment.objects.update(authorized_until=timezone.now())

    given_up(payment)

    assert (payment.status, payment.due_at, payment.failure_code) == ("EXPIRED", None, "")
    assert told()[1:] == [("payment.expired", payment.public_id)]


def test_authorisation_nobody_asked_anything_of_stays_and_nothing_is_told() -> None:
    payment = AuthorizedPaymentFactory()

    given_up(payment)

    assert (payment.status, payment.failure_code) == ("AUTHORIZED", "")
    assert payment.due_at == payment.authorized_until
    assert told()[1:] == []
