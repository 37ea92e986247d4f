"""Outcomes nobody knows: seen with their history, and asked about when a person wants it."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import AuditEvent
from payments import work
from payments.gateways.base import Unanswered
from payments.models import GatewayAttempt, Heartbeat, Payment, Refund
from payments.services.authorisations import capture_payment
from payments.services.enquiries import (
    NothingToAsk,
    WorkInHand,
    WorkIsParked,
    ask_now,
    with_last_question,
    with_unknown_outcome,
)
from payments.services.parking import park
from payments.services.processing import process_payments, process_refunds
from tests.factories import (
    AuthorizedPaymentFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
)
from tests.support.gateways import EventfulGateway, use_gateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

OPERATOR = Actor("user", "1", "operator")


def unknown(model: type[Payment] | type[Refund] = Payment) -> list[Payment | Refund]:
    return list(with_unknown_outcome(with_last_question(model._default_manager.all())))


def unanswered(**wish: object) -> Payment:
    """A payment whose gateway was asked once and did not answer; it has charged it."""
    payment = PaymentFactory(source="tok_timeout", **wish)
    process_payments()
    payment.refresh_from_db()
    assert payment.status == "PROCESSING"
    return payment


def operator(*permissions: str) -> Client:
    user = User.objects.create(username="operator", is_staff=True)
    codenames = ["view_payment", "view_refund", *permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def page(payment: Payment, step: str = "change") -> str:
    return reverse(f"admin:payments_payment_{step}", args=[payment.pk])


# --- Which there are ---------------------------------------------------------------------------


def test_only_what_was_asked_and_not_answered_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = unanswered()
    SucceededPaymentFactory()
    AuthorizedPaymentFactory()
    captured, refund = AuthorizedPaymentFactory(), RefundFactory()
    capture_payment(captured, actor=OPERATOR)
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(outcome=Unanswered("timeout")))
        process_payments()
        process_refunds()
    PaymentFactory()

    assert {row.pk for row in unknown()} == {waits.pk, captured.pk}
    assert unknown(Refund) == [refund]


def test_parked_row_whose_outcome_is_unknown_is_seen_too() -> None:
    payment = unanswered()
    park(payment, "It does not work.")

    assert unknown() == [payment]


def test_age_counts_from_the_first_question_without_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That the authorisation was not answered at first does not make its capture older."""
    payment = PaymentFactory(capture=Payment.Capture.MANUAL, source="tok_error_once")
    process_payments()
    ask_now(payment, actor=OPERATOR)
    process_payments()
    payment.refresh_from_db()
    capture_payment(payment, actor=OPERATOR)
    use_gateway(monkeypatch, EventfulGateway(outcome=Unanswered("timeout")))
    process_payments()
    ask_now(payment, actor=OPERATOR)
    monkeypatch.setattr(EventfulGateway, "look_up", lambda self, asked: [Unanswered("timeout")])
    process_payments()

    first = GatewayAttempt.objects.filter(action="capture").order_by("id").first()
    assert GatewayAttempt.objects.count() == 4
    assert first
    assert [row.unanswered_since for row in unknown()] == [first.asked_at]  # type: ignore[union-attr]


# --- Asked now ---------------------------------------------------------------------------------


def test_question_is_asked_at_once_and_not_the_charge() -> None:
    payment = unanswered()
    assert payment.due_at is not None
    assert payment.due_at > timezone.now()

    ask_now(payment, actor=OPERATOR, reason="The customer called.")
    assert process_payments() == 1

    before = payment.due_at
    payment.refresh_from_db()
    assert (payment.status, payment.attempts) == ("SUCCEEDED", 2)
    second = GatewayAttempt.objects.get(number=2)
    assert (second.is_enquiry, second.answer) == (True, "accepted")
    event = AuditEvent.objects.get()
    assert (event.action, event.subject) == ("payment.enquiry_requested", payment.public_id)
    assert (event.actor_label, event.reason) == ("operator", "The customer called.")
    assert event.before == {"due_at": before.isoformat(), "attempts": 1}


def test_nothing_is_asked_about_what_was_not_asked_for_or_is_known() -> None:
    known = [SucceededPaymentFactory(), AuthorizedPaymentFactory(), RefundFactory()]

    for row in (*known, PaymentFactory()):
        with pytest.raises(NothingToAsk):
            ask_now(row, actor=OPERATOR)
    assert not AuditEvent.objects.filter(action="payment.enquiry_requested").exists()


def test_row_in_a_worker_s_hand_is_left_to_it() -> None:
    payment = unanswered()
    Payment.objects.update(due_at=timezone.now())
    (claimed,) = work.claim(Payment)

    with pytest.raises(WorkInHand):
        ask_now(payment, actor=OPERATOR)

    payment.refresh_from_db()
    assert (payment.fence, payment.due_at) == (claimed.fence, claimed.due_at)


def test_parked_row_is_retried_instead() -> None:
    payment = unanswered()
    park(payment, "It does not work.")

    with pytest.raises(WorkIsParked):
        ask_now(payment, actor=OPERATOR)

    payment.refresh_from_db()
    assert payment.due_at is None


def test_command_asks_about_payments_and_refunds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    payment, refund = unanswered(), RefundFactory()
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(outcome=Unanswered("timeout")))
        process_refunds()

    call_command("ask_gateway", payment.public_id, refund.public_id, "--json")

    assert json.loads(capsys.readouterr().out) == {
        "asked": [payment.public_id, refund.public_id],
        "refused": [],
    }
    assert process_payments() == process_refunds() == 1
    assert {row.status for row in (Payment.objects.get(pk=payment.pk), Refund.objects.get())} == {
        "SUCCEEDED"
    }


def test_command_asks_what_it_can_and_fails_for_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    payment, done = unanswered(), SucceededPaymentFactory()

    with pytest.raises(CommandError, match="nothing_to_ask"):
        call_command("ask_gateway", done.public_id, "pay_nobody", payment.public_id, "--json")

    said = json.loads(capsys.readouterr().out)
    assert said["asked"] == [payment.public_id]
    assert [(each["id"], each["code"]) for each in said["refused"]] == [
        (done.public_id, "nothing_to_ask"),
        ("pay_nobody", "payment_not_found"),
    ]
    assert process_payments() == 1


# --- In the back office ------------------------------------------------------------------------


def test_list_of_unknown_outcomes_says_how_old_they_are() -> None:
    payment, done = unanswered(), SucceededPaymentFactory()
    GatewayAttempt.objects.filter(subject=payment.public_id).update(
        asked_at=timezone.now() - timedelta(hours=3)
    )
    url = reverse("admin:payments_payment_changelist")

    shown = operator().get(url, {"outcome": "unknown"}).content.decode()

    assert payment.public_id in shown
    assert "3\xa0hours" in shown
    assert done.public_id not in shown


def test_page_shows_what_the_gateway_was_asked_and_who_has_it() -> None:
    payment = unanswered()
    heart = Heartbeat.objects.create(node="celery@here", pid=4711)
    Payment.objects.update(
        holder=heart.pk, problem="ValueError: once", leased_until=timezone.now() + timedelta(60)
    )

    shown = operator().get(page(payment)).content.decode()

    assert "celery@here 4711, seen 0 s ago" in shown
    assert "ValueError: once" in shown
    history = shown[shown.index("Wanted") :]
    for cell in ("sim", "charge", "unanswered", "timeout"):
        assert cell in history
    assert page(payment, "ask_gateway") not in shown  # he may only look


def test_parked_payment_s_page_leads_to_its_record() -> None:
    payment = unanswered()
    park(payment, "It does not work.")

    shown = operator().get(page(payment)).content.decode()

    assert "/admin/payments/parkedwork/" in shown


def test_operator_asks_with_a_reason() -> None:
    payment = unanswered()
    client = operator("change_payment")
    assert page(payment, "ask_gateway") in client.get(page(payment)).content.decode()

    done = client.post(page(payment, "ask_gateway"), {"reason": "The customer called."})

    assert (done.status_code, done["Location"]) == (302, page(payment))
    assert process_payments() == 1
    event = AuditEvent.objects.get()
    assert (event.actor_label, event.reason) == ("operator", "The customer called.")
    assert page(payment, "ask_gateway") not in client.get(page(payment)).content.decode()


def test_who_may_only_look_asks_nothing() -> None:
    payment = unanswered()

    answer = operator().post(page(payment, "ask_gateway"), {"reason": "I want to know."})

    assert answer.status_code in (302, 403)
    assert process_payments() == 0
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("object_id", ["0", "nobody"])
def test_page_of_nobody_is_not_found(object_id: str) -> None:
    url = reverse("admin:payments_payment_ask_gateway", args=[object_id])

    assert operator("change_payment").get(url).status_code == 404
