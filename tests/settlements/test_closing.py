"""What a batch is made of, and that nobody changes a closed one."""

from datetime import date
from typing import Any

import pytest

from settlements.invariants import illegal_settlements
from settlements.models import Payout, ReserveHold, Settlement, SettlementBatch
from settlements.services.batches import run_settlement
from settlements.services.payouts import cancel_payout
from tests.factories import (
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balance, t_accounts
from tests.support.closing import (
    DAY,
    MAKER,
    SYSTEM,
    everything,
    nothing_is_settled,
    refused,
    run_sql,
    shop,
)

# --- What is in a batch ----------------------------------------------------------------------


@pytest.mark.django_db
def test_batch_has_a_line_for_each_thing(books: None) -> None:
    day = everything(shop())

    (batch,) = run_settlement(day, actor=SYSTEM)
    lines = {line: line.net for line in batch.lines.all()}
    (held,) = [line for line in lines if line.reserve_held]

    assert sorted(lines.values()) == [-30_00, -20_00, -10_00, 5_00, 30_00, 100_00]
    assert held.net == -10_00
    assert (batch.line_count, batch.gross, batch.fee, batch.payout_amount) == (6, 75_00, 0, 75_00)
    assert t_accounts(batch.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 75_00),
        ("credit", "payouts:due:EUR", 75_00),
        ("debit", "merchant:shop:payable:EUR", 10_00),
        ("credit", "merchant:shop:reserve:EUR", 10_00),
    ]
    assert illegal_settlements() == []


@pytest.mark.django_db
def test_reserve_comes_back_with_a_later_batch_of_its_own(books: None) -> None:
    day = everything(shop())
    run_settlement(day, actor=SYSTEM)

    (batch,) = run_settlement(day + DAY, actor=SYSTEM)

    assert (batch.line_count, batch.net, batch.payout_amount) == (1, 10_00, 10_00)
    assert batch.lines.get().reserve_released == ReserveHold.objects.get()
    assert t_accounts(batch.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 10_00),
        ("credit", "payouts:due:EUR", 10_00),
        ("debit", "merchant:shop:reserve:EUR", 10_00),
        ("credit", "merchant:shop:payable:EUR", 10_00),
    ]
    assert run_settlement(day + 2 * DAY, actor=SYSTEM) == []
    assert illegal_settlements() == []


@pytest.mark.django_db
def test_canceled_payout_joins_the_next_batch(books: None) -> None:
    merchant = MerchantFactory(fees={})
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    day = payment.effective_at.date()
    run_settlement(day, actor=SYSTEM)
    payout = cancel_payout(Payout.objects.get(), actor=MAKER, reason="wrong account")

    (batch,) = run_settlement(day + DAY, actor=SYSTEM)

    assert (batch.net, batch.carried_in, batch.payout_amount) == (100_00, 0, 100_00)
    assert batch.lines.get().canceled_payout == payout
    assert balance("payouts:due:EUR") == "100.00"
    assert illegal_settlements() == []


@pytest.mark.django_db
def test_day_without_anything_has_no_batch() -> None:
    MerchantFactory()

    assert run_settlement(date(2026, 3, 2), actor=SYSTEM) == []
    assert nothing_is_settled()


# --- What the database refuses ---------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "settlements_settlementbatch SET gross = gross + 1, net = net + 1",
        "settlements_settlementbatch SET period = period + 1",
        "settlements_settlementbatch SET status = 'OPEN'",
        "settlements_settlementbatch SET carried_in = 1",
        "settlements_settlement SET fee = fee + 1, net = net - 1",
        "settlements_reservehold SET amount = amount + 1",
        "settlements_reservehold SET release_on = release_on + 1",
    ],
)
def test_what_is_closed_is_not_changed(change: str) -> None:
    run_settlement(everything(shop()), actor=SYSTEM)

    with refused("ledger_append_only"):
        run_sql(f"UPDATE {change}")
    with refused("ledger_append_only"):
        run_sql(f"DELETE FROM {change.split()[0]}")
    run_sql("UPDATE settlements_settlementbatch SET status = 'PAID'")


@pytest.mark.django_db
def test_no_line_is_added_to_a_closed_batch_or_to_two() -> None:
    merchant = shop()
    (batch,) = run_settlement(everything(merchant), actor=SYSTEM)
    settled = batch.lines.exclude(payment=None).get().payment
    new = SucceededPaymentFactory(merchant=merchant, money=eur("1.00"))

    with refused("settlements_batch_is_its_lines"):
        Settlement.objects.create(batch=batch, payment=new, gross=1_00, fee=0, net=1_00)
    with refused("settlements_settlement_payment_id_key"):
        Settlement.objects.create(batch=batch, payment=settled, gross=1_00, fee=0, net=1_00)


@pytest.mark.django_db
def test_a_line_is_about_one_thing_of_its_merchant() -> None:
    mine, other = MerchantFactory(fees={}), MerchantFactory(fees={})
    payment = SucceededPaymentFactory(merchant=other, money=eur("1.00"))
    refund = SucceededRefundFactory(payment=payment, money=eur("1.00"))
    batch = SettlementBatch.objects.create(
        merchant=mine, currency="EUR", period=date(2026, 3, 2), line_count=1, gross=1_00, net=1_00
    )
    line: dict[str, Any] = {"batch": batch, "gross": 1_00, "fee": 0, "net": 1_00}

    for subject in (
        {"payment": payment},
        {"refund": refund},
        {"payment_id": 0},
        {"won_dispute_id": 0},
        {"canceled_payout_id": 0},
    ):
        with refused("settlements_line_of_its_merchant"):
            Settlement.objects.create(**line, **subject)
    for subject in ({}, {"payment": payment, "refund": refund}):
        with refused("settlements_line_about_one_thing"):
            Settlement.objects.create(**line, **subject)
    with refused("settlements_batch_is_its_lines"):
        Settlement.objects.create(**{**line, "batch": None, "batch_id": 0}, payment=payment)
