"""What goes into a batch, what the database refuses of it, and runs that race or die."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import Account, AuditEvent, JournalEntry
from ledger.money import Money
from ledger.services.audit import ReasonMissing
from payments.models import Merchant
from payments.services.disputes import win_dispute
from payments.services.processing import process_refunds
from settlements.errors import ApproverIsRequester
from settlements.invariants import illegal_settlements
from settlements.models import Adjustment, Payout, ReserveHold, Settlement, SettlementBatch
from settlements.services.adjustments import (
    approve_adjustment,
    refuse_adjustment,
    request_adjustment,
)
from settlements.services.batches import run_settlement
from settlements.services.payouts import cancel_payout
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import (
    ALWAYS,
    DisputeFactory,
    MerchantFactory,
    RefundFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import assert_books_balance, t_accounts
from tests.support.own_names import database_url_of_tests
from tests.support.races import meanwhile, run_together
from tests.support.servers import wait_for

SYSTEM = Actor.system("settlement")
MAKER, CHECKER = Actor("user", "1", "maker"), Actor("user", "2", "checker")
DAY = timedelta(days=1)


def shop() -> Merchant:
    """Without fees, and a tenth of what it takes is kept back for a day."""
    merchant = MerchantFactory(code="shop", fees={})
    terms = ScheduleTerms(reserve_basis_points=1_000, reserve_days=1)
    set_schedule(merchant, terms, valid_from=ALWAYS, actor=SYSTEM)
    return merchant


def everything(merchant: Merchant) -> date:
    """One of each thing that a batch can have, but a canceled payout; the day they are all of."""
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    SucceededRefundFactory(payment=payment, money=eur("20.00"))
    dispute = DisputeFactory(payment=payment, money=eur("30.00"))
    win_dispute(dispute, effective_at=dispute.effective_at, actor=SYSTEM)
    asked = request_adjustment(merchant, eur("5.00"), reason="goodwill", actor=MAKER)
    approve_adjustment(asked, actor=CHECKER)
    return payment.effective_at.date()


def balance(code: str) -> str:
    return Account.objects.get(code=code).balance.money.text


def nothing_is_settled() -> bool:
    kinds = ("settlement", "reserve_held", "reserve_released")
    return not (
        SettlementBatch.objects.exists()
        or Settlement.objects.exists()
        or ReserveHold.objects.exists()
        or Payout.objects.exists()
        or JournalEntry.objects.filter(kind__in=kinds).exists()
    )


@contextmanager
def refused(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        yield
    cause: Any = refusal.value.__cause__
    assert cause.diag.constraint_name == constraint


def run_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


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


# --- Adjustments -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_adjustment_needs_two_people_and_joins_the_next_batch(books: None) -> None:
    merchant = MerchantFactory(code="shop")
    asked = request_adjustment(merchant, eur("-7.50"), reason="double credit", actor=MAKER)
    with pytest.raises(ApproverIsRequester):
        approve_adjustment(asked, actor=MAKER)
    assert not JournalEntry.objects.exists()

    posted = approve_adjustment(asked, actor=CHECKER)
    (batch,) = run_settlement(posted.effective_at.date(), actor=SYSTEM)

    assert t_accounts(asked.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 7_50),
        ("credit", "income:differences:EUR", 7_50),
    ]
    assert (batch.net, batch.payout_amount, batch.carried_out) == (-7_50, 0, -7_50)
    assert batch.lines.get().adjustment == posted
    actions = AuditEvent.objects.filter(subject=asked.public_id).order_by("pk")
    assert [event.action for event in actions] == ["adjustment.requested", "adjustment.approved"]
    with pytest.raises(InvalidTransition):
        approve_adjustment(asked, actor=CHECKER)


@pytest.mark.django_db
def test_refused_adjustment_moves_nothing(books: None) -> None:
    asked = request_adjustment(MerchantFactory(), eur("7.50"), reason="a wish", actor=MAKER)
    with pytest.raises(ReasonMissing):
        refuse_adjustment(asked, actor=CHECKER, reason=" ")

    refuse_adjustment(asked, actor=CHECKER, reason="no")

    assert not JournalEntry.objects.exists()
    with pytest.raises(InvalidTransition):
        approve_adjustment(asked, actor=CHECKER)


@pytest.mark.django_db
def test_what_is_approved_is_what_was_asked_for() -> None:
    asked = request_adjustment(MerchantFactory(), eur("7.50"), reason="goodwill", actor=MAKER)

    with refused("ledger_append_only"):
        run_sql("UPDATE settlements_adjustment SET amount = 750000")
    with refused("settlements_adjustment_four_eyes"):
        run_sql("UPDATE settlements_adjustment SET status = 'POSTED', decided_by = requested_by")
    approve_adjustment(asked, actor=CHECKER)
    with refused("ledger_append_only"):
        run_sql("UPDATE settlements_adjustment SET status = 'REFUSED'")
    assert Adjustment.objects.get().amount == 7_50


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


# --- Runs that race or die -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_runs_of_many_periods_at_once_settle_each_thing_once() -> None:
    merchants = [MerchantFactory(fees={}) for _ in range(3)]
    for merchant in merchants:
        for _ in range(5):
            payment = SucceededPaymentFactory(merchant=merchant, money=eur("10.00"))
    day = payment.effective_at.date()

    results = run_together(
        *[lambda: run_settlement(day, actor=SYSTEM)] * 2,
        *[lambda: run_settlement(day + DAY, actor=SYSTEM)] * 2,
    )

    assert sum(len(batches) for batches in results) == 3
    assert Settlement.objects.count() == 15
    assert balance("payouts:due:EUR") == "150.00"
    assert_books_balance()


@pytest.mark.django_db(transaction=True)
def test_refunds_that_race_a_run_are_in_this_batch_or_in_the_next() -> None:
    merchant = MerchantFactory(code="shop", fees={})
    payments = [SucceededPaymentFactory(merchant=merchant, money=eur("10.00")) for _ in range(6)]
    day = payments[0].effective_at.date()
    for payment in payments[:4]:
        RefundFactory(payment=payment, money=eur("2.50"))

    run_together(
        lambda: process_refunds(limit=2),
        lambda: run_settlement(day, actor=SYSTEM),
        lambda: process_refunds(limit=2),
    )
    run_settlement(day + DAY, actor=SYSTEM)

    assert Settlement.objects.exclude(refund=None).count() == 4
    assert sum(Settlement.objects.values_list("net", flat=True)) == 50_00
    newest = SettlementBatch.objects.order_by("-period")[0]
    assert balance("merchant:shop:payable:EUR") == Money(newest.carried_out, "EUR").text
    assert illegal_settlements() == []
    assert_books_balance()


def hold_run_lock(other: psycopg.Connection) -> None:
    other.execute("SELECT pg_advisory_xact_lock(7001)")


def hold_lines(other: psycopg.Connection) -> None:
    other.execute("LOCK TABLE settlements_settlement IN EXCLUSIVE MODE")


def hold_payouts(other: psycopg.Connection) -> None:
    other.execute("LOCK TABLE settlements_payout IN EXCLUSIVE MODE")


def hold_balances(other: psycopg.Connection) -> None:
    other.execute("SELECT FROM ledger_accountbalance FOR UPDATE")


def waiting_pid() -> int | None:
    with psycopg.connect(database_url_of_tests(), autocommit=True) as watcher:
        row = watcher.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] if row else None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hold", [hold_run_lock, hold_lines, hold_payouts, hold_balances])
def test_a_run_that_dies_anywhere_has_not_begun(hold: Callable[[psycopg.Connection], None]) -> None:
    """Stopped at each place it can wait at, and its connection killed there."""
    day = everything(shop())

    with psycopg.connect(database_url_of_tests()) as other:
        hold(other)
        with meanwhile(lambda: run_settlement(day, actor=SYSTEM)) as outcomes:
            wait_for(waiting_pid)
            with psycopg.connect(database_url_of_tests(), autocommit=True) as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", [waiting_pid()])
        other.rollback()

    assert isinstance(outcomes[0], OperationalError), outcomes
    assert nothing_is_settled()
    (batch,) = run_settlement(day, actor=SYSTEM)
    assert (batch.line_count, batch.payout_amount) == (6, 75_00)
    assert illegal_settlements() == []
    assert_books_balance()
