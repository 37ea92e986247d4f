"""Runs of settlement that meet each other, refunds, or their end."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError

from ledger.money import Money
from payments.services.processing import process_refunds
from settlements.invariants import illegal_settlements
from settlements.models import Settlement, SettlementBatch
from settlements.services.batches import run_settlement
from tests.factories import (
    MerchantFactory,
    RefundFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.books import assert_books_balance, balance
from tests.support.closing import DAY, SYSTEM, everything, nothing_is_settled, shop
from tests.support.own_names import database_url_of_tests
from tests.support.races import meanwhile, run_together
from tests.support.servers import wait_for

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
