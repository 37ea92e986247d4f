"""Transfers and refunds of the same money at the same time."""

import pytest

from ledger.models import Account
from payments.models import Merchant, Transfer
from payments.services.transfers import process_transfers, refund_transfer
from payments.services.wallets import create_wallet
from tests.factories import MerchantFactory, eur
from tests.support.races import run_together
from tests.support.transfers import ACTOR, ask, on, purse, transferred

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


def names(outcomes: list[object]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def refund(transfer: Transfer, amount: str, key: str) -> Transfer:
    return refund_transfer(transfer, money=eur(amount), idempotency_key=key, actor=ACTOR)


def work_off() -> None:
    while process_transfers(limit=5):
        pass


def test_ten_refunds_of_30_at_once_leave_10_of_100(shop: Merchant) -> None:
    transfer = transferred(purse(shop, "till"), purse(shop, "safe", "0.00"), "100.00")

    outcomes = run_together(
        *[lambda n=n: refund(transfer, "30.00", key=f"r{n}") for n in range(10)]
    )

    transfer.refresh_from_db()
    assert names(outcomes) == ["RefundExceedsTransfer"] * 7 + ["Transfer"] * 3
    assert transfer.refundable == eur("10.00")


def test_ten_transfers_of_30_at_once_take_no_more_than_100(shop: Merchant) -> None:
    till, safe = purse(shop, "till"), purse(shop, "safe", "0.00")
    for _ in range(10):
        ask(till, safe, "30.00")

    outcomes = run_together(*[lambda: process_transfers(limit=3)] * 4)
    work_off()

    assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
    assert Transfer.objects.filter(status="COMPLETED").count() == 3
    assert Transfer.objects.filter(failure_code="insufficient_funds").count() == 7
    assert (on(till), on(safe)) == ("10.00", "90.00")


def test_refunds_are_asked_for_fail_and_are_done_at_the_same_time(shop: Merchant) -> None:
    """Half of them fail: what was sent is partly spent. Nothing locks the other way round."""
    till, safe, spent = purse(shop, "till"), purse(shop, "safe", "0.00"), purse(shop, "x", "0.00")
    transfers = [transferred(till, safe, "10.00") for _ in range(10)]
    transferred(safe, spent, "50.00")
    for number, transfer in enumerate(transfers):
        refund(transfer, "4.00", key=f"a{number}")

    def ask_all(order: list[Transfer], name: str) -> None:
        for transfer in order:
            refund(transfer, "3.00", key=f"{name}{transfer.pk}")

    outcomes = run_together(
        lambda: ask_all(transfers, "up"),
        lambda: ask_all(transfers[::-1], "down"),
        work_off,
        work_off,
        work_off,
    )
    work_off()

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert not Transfer.objects.exclude(status__in=["COMPLETED", "FAILED"]).exists()
    for transfer in transfers:
        transfer.refresh_from_db()
        done = Transfer.objects.filter(refund_of=transfer, status="COMPLETED")
        assert transfer.amount_refunded == sum(row.amount for row in done)
    assert sum(transfer.amount_refunded for transfer in transfers) in range(48_00, 50_01)


def test_two_accounts_with_one_code_at_once_are_one(shop: Merchant) -> None:
    def open_one() -> Account:
        return create_wallet(shop, code="till", name="Till", currency="EUR", actor=ACTOR)

    outcomes = run_together(*[open_one] * 5)

    assert names(outcomes) == ["Account"] + ["AccountCodeTaken"] * 4
    assert Account.objects.filter(code="till").count() == 1
