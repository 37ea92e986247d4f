"""What becomes of a payout, to the cent: approved, canceled, rejected, returned."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import Account, AuditEvent
from ledger.services.audit import ReasonMissing
from settlements.bookkeeping import bank
from settlements.errors import (
    ApprovalNeedsPerson,
    ApproverIsRequester,
    BankAccountChanging,
    PayoutInFile,
)
from settlements.invariants import illegal_payouts
from settlements.models import Payout, SettlementBatch
from settlements.rails.orders import NamedAccount
from settlements.services.bank_accounts import ask_for_bank_account
from settlements.services.batches import run_settlement
from settlements.services.payouts import (
    PayoutReturn,
    Refusal,
    approve_payout,
    approve_payouts,
    approve_small_payouts,
    cancel_payout,
    mark_paid,
    mark_rejected,
    mark_returned,
)
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import balance, t_accounts
from tests.support.entries import NOON
from tests.support.payouts import (
    CHECKER,
    MAKER,
    OTHER_IBAN,
    approved,
    bank_account,
    file_of,
    sent,
)
from tests.support.reports import IBAN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

SYSTEM = Actor.system("settlement")
DAY = date(2026, 3, 19)


@pytest.fixture(autouse=True)
def nothing_illegal(db: None) -> Any:
    yield
    assert illegal_payouts() == []


def due(*amounts: str) -> list[Payout]:
    """A payout for each payment of a shop of its own; the fee of 100.00 is 3.20."""
    for amount in amounts:
        payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur(amount))
    run_settlement(payment.effective_at.date(), actor=SYSTEM)
    return list(Payout.objects.select_related("merchant").order_by("pk"))


def positions() -> dict[str, str]:
    """What is due and in transit; 0.00 before anything ever was."""
    names = {"payouts:due:EUR": "due", "payouts:in_transit:EUR": "in transit"}
    opened = Account.objects.filter(code__in=names).values_list("code", flat=True)
    return dict.fromkeys(names.values(), "0.00") | {names[code]: balance(code) for code in opened}


def status_of_batch(payout: Payout) -> str:
    return SettlementBatch.objects.get(pk=payout.batch_id).status


def test_whoever_asked_for_a_payout_does_not_approve_it() -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    run_settlement(payment.effective_at.date(), actor=CHECKER)
    payout = Payout.objects.get()

    with pytest.raises(ApproverIsRequester):
        approve_payout(payout, actor=CHECKER)

    with (
        pytest.raises(IntegrityError, match="settlements_payout_four_eyes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE settlements_payout SET status = 'APPROVED', approved_by = requested_by"
        )


def test_many_are_approved_at_once_and_one_that_may_not_be_holds_up_no_other() -> None:
    first, second, third = due("100.00", "200.00", "300.00")
    bank_account(second.merchant)
    wish = NamedAccount("Somebody Else", OTHER_IBAN, "")
    ask_for_bank_account(second.merchant, wish, currency="EUR", actor=MAKER)

    approvals = approve_payouts([first, second, third], actor=CHECKER)

    assert approvals.approved == [first, third]
    ((refused, refusal),) = approvals.refused
    assert (refused, type(refusal)) == (second, BankAccountChanging)
    second.refresh_from_db()
    assert (second.status, second.approved_by) == ("PENDING_APPROVAL", "")
    assert AuditEvent.objects.filter(action="payout.approved").count() == 2


def test_many_are_approved_in_as_many_statements_as_one() -> None:
    payouts = due("100.00", "200.00", "300.00")
    with CaptureQueriesContext(connection) as of_one:
        approve_payouts(payouts[:1], actor=CHECKER)

    with CaptureQueriesContext(connection) as of_many:
        approve_payouts(payouts[1:], actor=CHECKER)

    assert len(of_many) == len(of_one)
    events = AuditEvent.objects.filter(action="payout.approved").order_by("pk")
    assert [event.subject for event in events] == [payout.public_id for payout in payouts]


def test_platform_approves_what_is_below_the_threshold_and_nothing_else(settings: Any) -> None:
    below, at = due("99.00", "103.30")  # 95.83 and 100.00 after fees
    assert approve_small_payouts(actor=SYSTEM).approved == []

    settings.PAYOUT_APPROVAL_THRESHOLD = {"EUR": 100_00}
    platform = Actor.system("platform")
    approvals = approve_small_payouts(actor=platform)

    assert (at.amount, approvals.approved, approvals.refused) == (100_00, [below], [])
    with pytest.raises(ApprovalNeedsPerson):
        approve_payout(at, actor=platform)
    assert approve_payout(at, actor=CHECKER).status == "APPROVED"


def test_platform_does_not_approve_what_came_to_nothing_before(settings: Any) -> None:
    settings.PAYOUT_APPROVAL_THRESHOLD = {"EUR": 1_000_00}
    (payout,) = due("100.00")
    sent([payout])
    (again,) = mark_rejected([Refusal(payout.pk, "AC04", "closed")], actor=MAKER)
    platform = Actor.system("platform")

    assert approve_small_payouts(actor=platform).approved == []
    with pytest.raises(ApprovalNeedsPerson):
        approve_payout(again, actor=platform)


@pytest.mark.parametrize("is_approved", [False, True])
def test_canceled_payout_is_payable_again(is_approved: bool) -> None:
    (payout,) = due("100.00")
    if is_approved:
        approved([payout])

    canceled = cancel_payout(payout, actor=MAKER, reason="The merchant asked us to wait.")

    assert (canceled.status, status_of_batch(payout)) == ("CANCELED", "FAILED")
    assert positions() == {"due": "0.00", "in transit": "0.00"}
    assert balance(f"merchant:{payout.merchant.code}:payable:EUR") == "96.80"
    assert t_accounts(payout.public_id) == [
        ("debit", "payouts:due:EUR", 96_80),
        ("credit", f"merchant:{payout.merchant.code}:payable:EUR", 96_80),
    ]
    with pytest.raises(InvalidTransition):
        cancel_payout(payout, actor=MAKER, reason="Once more.")


def test_canceling_needs_a_reason_and_no_file_on_its_way() -> None:
    (payout,) = due("100.00")
    with pytest.raises(ReasonMissing):
        cancel_payout(payout, actor=MAKER, reason=" ")
    file_of(approved([payout]))

    with pytest.raises(PayoutInFile):
        cancel_payout(payout, actor=MAKER, reason="Too late.")

    payout.refresh_from_db()
    assert payout.status == "APPROVED"
    assert positions() == {"due": "96.80", "in transit": "0.00"}


def test_rejected_payout_is_due_again_and_somebody_else_approves_it() -> None:
    (payout,) = due("100.00")
    sent([payout])
    assert positions() == {"due": "0.00", "in transit": "96.80"}

    (again,) = mark_rejected([Refusal(payout.pk, "AC04", "Account closed")], actor=MAKER)

    payout.refresh_from_db()
    assert (payout.status, payout.failure_code, payout.failure_reason) == (
        "REJECTED",
        "AC04",
        "Account closed",
    )
    assert positions() == {"due": "96.80", "in transit": "0.00"}
    assert (again.batch, again.amount, again.status) == (payout.batch, 96_80, "PENDING_APPROVAL")
    assert status_of_batch(payout) == "FAILED"
    with pytest.raises(ApproverIsRequester):
        approve_payout(again, actor=MAKER)
    approve_payout(again, actor=CHECKER)
    assert status_of_batch(payout) == "CLOSED"
    with pytest.raises(InvalidTransition):
        mark_rejected([Refusal(payout.pk, "AC04", "")], actor=MAKER)


def test_returned_payout_is_due_again_with_the_money_back_at_the_bank() -> None:
    (payout,) = due("100.00")
    sent([payout])
    mark_paid({payout.pk: DAY})
    assert status_of_batch(payout) == "PAID"
    back = PayoutReturn(
        payout.pk, DAY, bank(IBAN, "EUR"), "stl_7", NOON, code="AC04", reason="Account closed"
    )

    (again,) = mark_returned([back], actor=SYSTEM)

    payout.refresh_from_db()
    assert (payout.status, payout.returned_on, payout.failure_code) == ("RETURNED", DAY, "AC04")
    assert (status_of_batch(payout), again.status) == ("FAILED", "PENDING_APPROVAL")
    assert t_accounts("stl_7") == [
        ("debit", f"bank:{IBAN}:EUR", 96_80),
        ("credit", "payouts:due:EUR", 96_80),
    ]
    with pytest.raises(InvalidTransition):
        mark_returned([back], actor=SYSTEM)


def test_payout_that_never_left_cannot_come_back() -> None:
    (payout,) = due("100.00")
    sent([payout])

    with pytest.raises(InvalidTransition):
        mark_returned([PayoutReturn(payout.pk, DAY, bank(IBAN, "EUR"), "x", NOON)], actor=SYSTEM)

    assert Payout.objects.count() == 1
    assert t_accounts("x") == []
