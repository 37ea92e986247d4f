"""Refunds, transfers and gateway events nobody could do are given up, so that it is true."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import InvalidTransition
from ledger.services.posting import post_entry
from ledger.services.reversals import reverse_entry
from payments.errors import MoneyMayHaveMoved
from payments.models import (
    Gateway,
    GatewayEvent,
    ParkedWork,
    Payment,
    Refund,
    Transfer,
)
from payments.services.gateway_events import settle_gateway_event
from payments.services.giving_up import TransferMayHaveMoved
from payments.services.parking import (
    discard,
    retry_parked,
)
from payments.services.transfers import process_transfers, refund_transfer
from tests.factories import (
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balances
from tests.support.giving_up import (
    CHECKER,
    MAKER,
    ask_and_die,
    assert_refused,
    evidence,
    given_up,
    mute,
    parked,
    told,
)
from tests.support.transfers import ask, on, purse, transferred

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


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
