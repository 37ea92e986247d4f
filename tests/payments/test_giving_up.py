"""Work is given up only as what it truly is: nothing moved, or it is not given up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import InvalidTransition
from ledger.models import AuditEvent, JournalEntry
from ledger.services.posting import post_entry
from ledger.services.reversals import reverse_entry
from payments.errors import MoneyMayHaveMoved
from payments.gateways.base import Outcome, Unanswered
from payments.models import (
    Event,
    Gateway,
    GatewayEvent,
    ParkedWork,
    Payment,
    Refund,
    SimulatedOperation,
    Transfer,
)
from payments.services.authorisations import cancel_payment, capture_payment
from payments.services.gateway_events import settle_gateway_event
from payments.services.gateways import define_gateway
from payments.services.giving_up import GiveUpTooEarly, TransferMayHaveMoved
from payments.services.parking import (
    NotParkedAnyMore,
    ask_to_discard,
    discard,
    park,
    retry_parked,
)
from payments.services.processing import process_payments, process_refunds
from payments.services.transfers import process_transfers, refund_transfer
from payments.work import Work
from tests.factories import (
    AuthorizedPaymentFactory,
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balances
from tests.support.gateways import EventfulGateway, WorkerDied, die, use_gateway
from tests.support.transfers import ask, on, purse, transferred

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

MAKER, CHECKER = Actor("user", "1", "maker"), Actor("user", "2", "checker")
DAY = timedelta(days=1)


def parked(row: Work, *, age: timedelta = DAY) -> ParkedWork:
    """The row parked, and somebody asking to discard it; it was made that long ago."""
    row.refresh_from_db()
    park(row, "It does not work.")
    ParkedWork.objects.update(parked_at=timezone.now() - timedelta(seconds=121))
    if hasattr(row, "created_at"):
        type(row)._default_manager.filter(pk=row.pk).update(created_at=timezone.now() - age)
    record = ParkedWork.objects.get()
    ask_to_discard(record, actor=MAKER, reason="It never works.")
    return record


def given_up(row: Work, *, age: timedelta = DAY) -> ParkedWork:
    """The row, after two people gave it up."""
    record = discard(parked(row, age=age), actor=CHECKER)
    row.refresh_from_db()
    return record


def evidence() -> str:
    return AuditEvent.objects.get(action="work.discarded").after["evidence"]


def told() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("id").values_list("type", "subject"))


def assert_refused(record: ParkedWork, refusal: type[Exception]) -> None:
    """Nothing has changed, and the record still waits."""
    with pytest.raises(refusal):
        discard(record, actor=CHECKER)
    record.refresh_from_db()
    assert record.resolution == ""
    assert not AuditEvent.objects.filter(action="work.discarded").exists()


def ask_and_die(monkeypatch: pytest.MonkeyPatch, *, moment: str, refund: bool = False) -> None:
    """A worker takes what is due and dies just before or after its gateway is asked."""
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(**{moment: die}))
        with pytest.raises(WorkerDied):
            process_refunds() if refund else process_payments()


def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway does not say what became of anything."""

    class Mute(EventfulGateway):
        def look_up(self, requests: object) -> list[Outcome | None]:
            return [Unanswered("timeout")]

    use_gateway(monkeypatch, Mute())


# --- Payments --------------------------------------------------------------------------------


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


# --- Refunds ---------------------------------------------------------------------------------


def test_refund_its_gateway_never_saw_fails_and_can_be_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refund = RefundFactory(money=eur("30.00"))
    ask_and_die(monkeypatch, moment="before", refund=True)
    assert Payment.objects.get().refundable == eur("70.00")

    given_up(refund)

    assert (refund.status, refund.failure_code) == ("FAILED", "given_up")
    assert Payment.objects.get().refundable == eur("100.00")
    assert told()[-1] == ("refund.failed", refund.public_id)
    again = SucceededRefundFactory(payment=refund.payment)
    assert again.money == eur("100.00")


def test_refund_that_was_never_asked_for_fails() -> None:
    refund = RefundFactory(money=eur("30.00"))

    given_up(refund, age=timedelta())

    assert (refund.status, Payment.objects.get().amount_refunded) == ("FAILED", 0)
    assert evidence() == "The gateway was not asked."


@pytest.mark.parametrize("knows", ["accepted", "unanswered"])
def test_refund_that_may_have_moved_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch, knows: str
) -> None:
    refund = RefundFactory(money=eur("30.00"))
    ask_and_die(monkeypatch, moment="after", refund=True)
    record = parked(refund)
    if knows == "unanswered":
        mute(monkeypatch)

    assert_refused(record, MoneyMayHaveMoved)

    refund.refresh_from_db()
    assert (refund.status, Payment.objects.get().amount_refunded) == ("PROCESSING", 30_00)


# --- Transfers -------------------------------------------------------------------------------


def test_transfer_given_up_has_moved_nothing() -> None:
    merchant = MerchantFactory()
    till, safe = purse(merchant, "till"), purse(merchant, "safe")
    transfer = ask(till, safe, "10.00")

    given_up(transfer)

    assert (transfer.status, transfer.failure_code) == ("FAILED", "given_up")
    assert (on(till), on(safe)) == ("100.00", "100.00")
    assert told() == [("transfer.failed", transfer.public_id)]
    assert process_transfers() == 0


def test_refund_of_a_transfer_given_up_can_be_asked_for_again() -> None:
    merchant = MerchantFactory()
    till, safe = purse(merchant, "till"), purse(merchant, "safe")
    transfer = transferred(till, safe, "10.00")
    refund = refund_transfer(transfer, money=eur("4.00"), idempotency_key="back", actor=MAKER)
    transfer.refresh_from_db()
    assert transfer.refundable == eur("6.00")

    given_up(refund)

    transfer.refresh_from_db()
    assert (refund.status, transfer.refundable) == ("FAILED", eur("10.00"))


def test_transfer_whose_key_was_used_by_somebody_else_is_given_up_when_that_is_undone() -> None:
    merchant = MerchantFactory()
    till, safe = purse(merchant, "till"), purse(merchant, "safe")
    transfer = ask(till, safe, "10.00")
    cash = AccountRef("cash:EUR", AccountType.ASSET, "EUR")
    entry = post_entry(
        Entry(
            f"transfer:{transfer.public_id}",
            "deposit",
            "by hand",
            timezone.now(),
            moves(cash, till.ref, eur("10.00")),
        )
    )
    process_transfers()
    record = parked(transfer)
    assert Transfer.objects.get().problem == "It does not work."
    assert_refused(record, TransferMayHaveMoved)

    reverse_entry(entry.public_id, reason="It was not ours.", actor=MAKER)
    discard(record, actor=CHECKER)

    transfer.refresh_from_db()
    assert (transfer.status, on(till)) == ("FAILED", "100.00")


# --- Gateway events --------------------------------------------------------------------------


def test_gateway_event_given_up_is_settled_by_a_person() -> None:
    MerchantFactory()
    event = GatewayEvent.objects.create(
        gateway=Gateway.objects.get(),
        event_id="evt_1",
        kind="charge.refunded",
        body=b"{}",
        due_at=timezone.now(),
    )

    given_up(event)

    assert (event.status, event.result) == ("FAILED", "Given up by user:checker.")
    assert (event.due_at, event.processed_at is None) == (None, False)
    settled = settle_gateway_event(event, actor=MAKER, reason="Looked at.")
    assert settled.status == "PROCESSED"


# --- What is over stays as it is ---------------------------------------------------------------


def test_outcome_that_was_written_by_other_means_is_not_given_up() -> None:
    payment = PaymentFactory(source="tok_declined")
    record = parked(payment)
    Payment.objects.update(status="FAILED", failure_code="card_declined")
    before = balances()

    assert_refused(record, InvalidTransition)

    assert (Payment.objects.get().failure_code, balances()) == ("card_declined", before)
    retry_parked(record, actor=MAKER, reason="It is over.")
    assert ParkedWork.objects.get().resolution == "RETRIED"
    assert Refund.objects.count() == 0
