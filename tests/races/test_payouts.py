"""Two people and two banks at the same payout: one is first, and the money is there once."""

from collections import Counter
from typing import Any

import pytest
from django.db import transaction

from ledger.actors import Actor
from ledger.models import Account
from ledger.services.posting import post_all
from reconciliation.bookkeeping import entry_for_payout_paid
from settlements.bookkeeping import bank
from settlements.invariants import illegal_payouts
from settlements.models import Payout, PayoutAttempt, PayoutFile
from settlements.rails.bank_ids import bank_id
from settlements.rails.orders import NamedAccount
from settlements.services.bank_accounts import ask_for_bank_account, verify_bank_account
from settlements.services.batches import run_settlement
from settlements.services.payout_files import hand_over_payout_file, withdraw_payout_file
from settlements.services.payouts import (
    PayoutReturn,
    approve_payout,
    cancel_payout,
    mark_paid,
    mark_returned,
)
from settlements.services.status_reports import import_status_report
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.settlements.test_status_reports import report
from tests.support.books import assert_books_balance
from tests.support.entries import NOON
from tests.support.payouts import CHECKER, MAKER, OTHER_IBAN, approved, debtor, file_of, sent
from tests.support.races import run_together
from tests.support.reports import DAY, IBAN

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system("settlement")
ROUNDS = 5


@pytest.fixture(autouse=True)
def all_is_right() -> Any:
    yield
    assert_books_balance()
    assert illegal_payouts() == []


def due() -> Payout:
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    run_settlement(payment.effective_at.date(), actor=SYSTEM)
    return Payout.objects.select_related("merchant", "batch").latest("pk")


def names(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def owed() -> int:
    """Minor units payable, due and in transit together: a race makes none of it twice."""
    return sum(
        account.balance.money.amount
        for account in Account.objects.select_related("balance").all()
        if account.code.startswith(("payouts:", "merchant:"))
    )


def test_approve_against_cancel() -> None:
    for _ in range(ROUNDS):
        payout = due()
        before = owed()

        outcomes = run_together(
            lambda payout=payout: approve_payout(payout, actor=CHECKER),
            lambda payout=payout: cancel_payout(payout, actor=MAKER, reason="Wait."),
        )

        # Approving first leaves something to cancel; canceling first leaves nothing to approve.
        assert names(outcomes) in (["InvalidTransition", "Payout"], ["Payout", "Payout"])
        payout.refresh_from_db()
        assert payout.status == "CANCELED"
        assert owed() == before


def test_two_files_at_once_with_the_same_payout() -> None:
    debtor()
    for _ in range(ROUNDS):
        (payout,) = approved([due()])

        outcomes = run_together(*[lambda payout=payout: file_of([payout])] * 3)

        assert names(outcomes) == ["PayoutFile", "PayoutInFile", "PayoutInFile"]
        assert PayoutAttempt.objects.filter(payout=payout, is_live=True).count() == 1


def test_hand_over_against_withdraw() -> None:
    debtor()
    for _ in range(ROUNDS):
        (payout,) = approved([due()])
        file = file_of([payout])

        outcomes = run_together(
            lambda file=file: hand_over_payout_file(file, actor=MAKER),
            lambda file=file: withdraw_payout_file(file, actor=MAKER, reason="Stop."),
        )

        payout.refresh_from_db()
        file.refresh_from_db()
        left = any(isinstance(outcome, bytes) for outcome in outcomes)
        assert (payout.status, file.status) == (
            ("SENT", "SENT") if left else ("APPROVED", "REJECTED")
        )
        assert "PayoutFileClosed" in names(outcomes)


def test_same_answer_of_the_bank_twice_at_once() -> None:
    debtor()
    for _ in range(ROUNDS):
        payout = due()
        file, _content = sent([payout])
        answer = report(bank_id(file.public_id), group="RJCT")

        outcomes = run_together(
            *[lambda answer=answer: import_status_report(answer, actor=MAKER)] * 3
        )

        assert sorted(len(outcome.rejected) for outcome in outcomes) == [0, 0, 1]
        statuses = Counter(payout.batch.payouts.values_list("status", flat=True))
        assert statuses == {"REJECTED": 1, "PENDING_APPROVAL": 1}


def test_refusal_against_the_debit_and_its_return() -> None:
    debtor()
    for _ in range(ROUNDS):
        payout = due()
        file, _content = sent([payout])
        answer = report(bank_id(file.public_id), group="RJCT")

        outcomes = run_together(
            lambda answer=answer: import_status_report(answer, actor=MAKER),
            lambda payout=payout: pay_and_return(payout),
        )

        payout.refresh_from_db()
        assert payout.status in ("REJECTED", "RETURNED")
        refused = payout.status == "REJECTED"
        assert (type(outcomes[1]).__name__ == "InvalidTransition") == refused
        assert bool(outcomes[0].oddities) != refused
        alive = payout.batch.payouts.filter(status="PENDING_APPROVAL")
        assert alive.count() == 1


def pay_and_return(payout: Payout) -> None:
    """The statement shows the debit, booked as reconciliation does, and the money coming back."""
    account = bank(IBAN, "EUR")
    with transaction.atomic():
        mark_paid({payout.pk: DAY})
        paid = entry_for_payout_paid(
            account, payout.money, key=payout.public_id, reference="stl_1", effective_at=NOON
        )
        post_all([paid])
    mark_returned([PayoutReturn(payout.pk, DAY, account, f"stl_{payout.pk}", NOON)], actor=SYSTEM)


def test_change_of_account_against_a_file() -> None:
    """The payout goes to the old account or waits; never to one nobody verified."""
    debtor()
    for _ in range(ROUNDS):
        (payout,) = approved([due()])
        wish = NamedAccount("Shop", OTHER_IBAN, "")

        def change(payout: Payout = payout, wish: NamedAccount = wish) -> None:
            asked = ask_for_bank_account(payout.merchant, wish, currency="EUR", actor=MAKER)
            verify_bank_account(asked, actor=CHECKER)

        outcomes = run_together(change, lambda payout=payout: file_of([payout]))

        assert outcomes[0] is None
        assert isinstance(outcomes[1], PayoutFile) or names(outcomes[1:]) == ["BankAccountChanging"]
        payout.refresh_from_db()
        if payout.bank_account:
            assert payout.bank_account.status in ("VERIFIED", "REPLACED")
