"""create_transfer, refund_transfer and process_transfers: money between a merchant's accounts."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger import sql
from ledger.errors import Invalid
from ledger.models import Account, JournalEntry
from ledger.money import Money
from ledger.services.posting import post_entries
from payments import work
from payments.bookkeeping import entry_for_transfer
from payments.errors import IdempotencyMismatch
from payments.models import Merchant, Transfer
from payments.services.engine import do_rows
from payments.services.transfers import (
    TRANSFERS,
    AccountCurrencyMismatch,
    RefundExceedsTransfer,
    SameAccount,
    TransferNotRefundable,
    TransferWish,
    create_transfer,
    process_transfers,
    refund_transfer,
)
from payments.services.wallets import create_wallet
from tests.factories import MerchantFactory, eur
from tests.support.books import balances, t_accounts
from tests.support.transfers import ACTOR, ask, decided, on, purse, transferred

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


@pytest.fixture
def till(shop: Merchant) -> Account:
    return purse(shop, "till")


@pytest.fixture
def safe(shop: Merchant) -> Account:
    return purse(shop, "safe", "0.00")


def send_back(transfer: Transfer, amount: str | None = None, key: str = "r1") -> Transfer:
    money = None if amount is None else Money.of(amount, transfer.currency)
    return refund_transfer(transfer, money=money, idempotency_key=key, actor=ACTOR)


# --- Asking for a transfer -----------------------------------------------------------------


def test_transfer_is_written_down_and_moves_nothing_yet(till: Account, safe: Account) -> None:
    before = balances()

    transfer = ask(till, safe, "30.00", key="k1")

    assert transfer.public_id.startswith("tr_")
    assert (transfer.status, transfer.money, transfer.idempotency_key) == (
        "ACCEPTED",
        eur("30.00"),
        "k1",
    )
    assert transfer.due_at is not None
    assert transfer.created_by == "system:tests"
    assert balances() == before


def test_account_cannot_pay_itself(till: Account) -> None:
    with pytest.raises(SameAccount):
        ask(till, till, "1.00")

    assert not Transfer.objects.exists()


def test_both_accounts_are_in_one_currency(shop: Merchant, till: Account) -> None:
    dollars = purse(shop, "dollars", "0.00", currency="USD")

    with pytest.raises(AccountCurrencyMismatch) as refusal:
        ask(till, dollars, "1.00")

    assert refusal.value.code == "currency_mismatch"
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("money", [eur("0.00"), eur("-1.00"), Money(1_00, "USD")])
def test_amount_is_positive_and_in_the_currency_of_the_accounts(
    shop: Merchant, till: Account, safe: Account, money: Money
) -> None:
    with pytest.raises(Invalid):
        create_transfer(shop, TransferWish(till, safe, money), idempotency_key="k1", actor=ACTOR)

    assert not Transfer.objects.exists()


def test_key_makes_one_transfer_for_ever(till: Account, safe: Account) -> None:
    ask(till, safe, "30.00", key="k1")

    with pytest.raises(IdempotencyMismatch):
        ask(till, safe, "30.00", key="k1")

    assert Transfer.objects.count() == 1


# --- Doing it ------------------------------------------------------------------------------


def test_transfer_is_completed_with_its_entry(till: Account, safe: Account) -> None:
    transfer = transferred(till, safe, "30.00")

    entry = JournalEntry.objects.get(reference=transfer.public_id)
    assert (transfer.status, transfer.journal_entry) == ("COMPLETED", entry.public_id)
    assert (transfer.due_at, transfer.attempts) == (None, 1)
    assert entry.idempotency_key == f"transfer:{transfer.public_id}"
    assert t_accounts(transfer.public_id) == [("debit", "till", 30_00), ("credit", "safe", 30_00)]
    assert (on(till), on(safe)) == ("70.00", "30.00")


def test_transfer_of_more_than_there_is_fails_and_moves_nothing(
    till: Account, safe: Account
) -> None:
    transfer = transferred(till, safe, "100.01")

    assert (transfer.status, transfer.failure_code) == ("FAILED", "insufficient_funds")
    assert transfer.failure_reason == "The balance of till does not allow this."
    assert (transfer.journal_entry, transfer.due_at) == ("", None)
    assert t_accounts(transfer.public_id) == []
    assert (on(till), on(safe)) == ("100.00", "0.00")


def test_account_that_may_be_negative_can_pay_what_it_has_not(
    shop: Merchant, safe: Account
) -> None:
    credit = create_wallet(
        shop, name="Credit", currency="EUR", allow_negative=True, code="credit", actor=ACTOR
    )

    transfer = transferred(credit, safe, "30.00")

    assert transfer.status == "COMPLETED"
    assert (on(credit), on(safe)) == ("-30.00", "30.00")


def test_batch_is_decided_in_order_each_by_itself(till: Account, safe: Account) -> None:
    transfers = [
        ask(till, safe, "60.00"),
        ask(till, safe, "60.00"),
        ask(safe, till, "50.00"),
        ask(till, safe, "60.00"),
    ]

    assert process_transfers() == 4

    rows = Transfer.objects.in_bulk([transfer.pk for transfer in transfers])
    assert [rows[transfer.pk].status for transfer in transfers] == [
        "COMPLETED",
        "FAILED",
        "COMPLETED",
        "COMPLETED",
    ]
    assert (on(till), on(safe)) == ("30.00", "70.00")
    assert process_transfers() == 0


def test_hundred_transfers_take_as_many_statements_as_one(
    till: Account, safe: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "LARGE_CHARS", 10**9)  # Django is to see them all
    counts = []
    for size in (1, 100):
        for _ in range(size):
            ask(till, safe, "0.10")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert process_transfers() == size
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert (on(till), on(safe)) == ("89.90", "10.10")


def test_worker_that_lost_its_rows_writes_nothing(till: Account, safe: Account) -> None:
    """Somebody else took the row over between the claim and the writing."""
    transfer = ask(till, safe, "30.00")
    claimed = work.claim(Transfer, becomes=TRANSFERS.becomes)
    Transfer.objects.update(due_at=timezone.now(), leased_until=timezone.now())
    work.claim(Transfer, becomes=TRANSFERS.becomes)

    do_rows(claimed, TRANSFERS)

    transfer.refresh_from_db()
    assert (transfer.status, transfer.fence) == ("PROCESSING", 2)
    assert on(till) == "100.00"


def test_entry_that_is_there_already_completes_its_transfer(till: Account, safe: Account) -> None:
    """As after a restore of one table only: the same entry is recognised, not posted again."""
    transfer = ask(till, safe, "30.00")
    moment = timezone.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        (result,) = post_entries([entry_for_transfer(transfer, moment)])
        decided(transfer)

    assert (transfer.status, transfer.journal_entry) == ("COMPLETED", result.public_id)
    assert on(till) == "70.00"


def test_entry_that_says_something_else_decides_nothing(till: Account, safe: Account) -> None:
    transfer = ask(till, safe, "30.00")
    other = ask(till, safe, "10.00")
    post_entries([entry_for_transfer(transfer, transfer.created_at)])

    decided(transfer)

    other.refresh_from_db()
    assert (transfer.status, transfer.due_at is not None) == ("PROCESSING", True)
    assert other.status == "COMPLETED"
    assert on(till) == "60.00"


# --- Sending it back -----------------------------------------------------------------------


def test_refund_goes_the_other_way(till: Account, safe: Account) -> None:
    transfer = transferred(till, safe, "30.00")

    refund = decided(send_back(transfer, "10.00"))

    transfer.refresh_from_db()
    assert (refund.status, refund.refund_of, refund.money) == ("COMPLETED", transfer, eur("10.00"))
    assert transfer.refundable == eur("20.00")
    assert t_accounts(refund.public_id) == [("debit", "safe", 10_00), ("credit", "till", 10_00)]
    assert (on(till), on(safe)) == ("80.00", "20.00")


def test_refund_without_an_amount_is_all_that_is_left(till: Account, safe: Account) -> None:
    transfer = transferred(till, safe, "30.00")
    send_back(transfer, "10.00")

    rest = send_back(transfer, key="r2")

    transfer.refresh_from_db()
    assert rest.money == eur("20.00")
    assert transfer.refundable == eur("0.00")


@pytest.mark.parametrize("amount", ["20.01", "30.00", None])
def test_refunds_never_exceed_the_transfer(
    till: Account, safe: Account, amount: str | None
) -> None:
    transfer = transferred(till, safe, "30.00")
    send_back(transfer, "10.00" if amount else None)

    with pytest.raises(RefundExceedsTransfer) as refusal:
        send_back(transfer, amount, key="r2")

    assert refusal.value.code == "amount_exceeds_refundable"
    assert Transfer.objects.filter(refund_of=transfer).count() == 1


def test_database_refuses_refunds_beyond_the_transfer(till: Account, safe: Account) -> None:
    transfer = transferred(till, safe, "30.00")

    with (
        pytest.raises(IntegrityError, match="payments_transfer_refunds_within"),
        transaction.atomic(),
    ):
        Transfer.objects.filter(pk=transfer.pk).update(amount_refunded=30_01)


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_refund_is_more_than_zero(till: Account, safe: Account, amount: str) -> None:
    transfer = transferred(till, safe, "30.00")

    with pytest.raises(Invalid, match="more than zero"):
        send_back(transfer, amount)

    assert not Transfer.objects.filter(refund_of=transfer).exists()


def test_refund_that_fails_frees_its_part(shop: Merchant, till: Account, safe: Account) -> None:
    transfer = transferred(till, safe, "30.00")
    transferred(safe, purse(shop, "spent", "0.00"), "25.00")
    small, large = send_back(transfer, "5.00", key="r1"), send_back(transfer, "20.00", key="r2")

    decided(large)

    small.refresh_from_db()
    transfer.refresh_from_db()
    assert (small.status, large.status) == ("COMPLETED", "FAILED")
    assert large.failure_code == "insufficient_funds"
    assert transfer.refundable == eur("25.00")
    assert (on(till), on(safe)) == ("75.00", "0.00")


def test_only_a_completed_transfer_can_be_refunded(till: Account, safe: Account) -> None:
    waiting = ask(till, safe, "30.00")
    with pytest.raises(TransferNotRefundable):
        send_back(waiting)
    failed = transferred(till, safe, "100.01")
    with pytest.raises(TransferNotRefundable) as refusal:
        send_back(failed)

    assert refusal.value.code == "transaction_not_refundable"
    assert not Transfer.objects.filter(refund_of__isnull=False).exists()


def test_refund_cannot_be_refunded(till: Account, safe: Account) -> None:
    refund = decided(send_back(transferred(till, safe, "30.00")))

    with pytest.raises(TransferNotRefundable, match="a refund itself"):
        send_back(refund, key="r2")


def test_key_of_a_transfer_may_be_used_for_a_refund_and_makes_one(
    till: Account, safe: Account
) -> None:
    transfer = decided(ask(till, safe, "30.00", key="k1"))
    send_back(transfer, "10.00", key="k1")

    with pytest.raises(IdempotencyMismatch):
        send_back(transfer, "10.00", key="k1")

    transfer.refresh_from_db()
    assert transfer.refundable == eur("20.00")
