"""ASY-05: a worker that sleeps past its lease is overtaken, and writes nothing when it wakes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from ledger.models import JournalEntry
from payments.models import Event, GatewayAttempt, Payment, SimulatedOperation
from payments.services.processing import process_payments
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.books import assert_books_balance, balances, query
from tests.support.own_names import database_url_of_tests
from tests.support.servers import PATIENCE_SECONDS, Child, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENTS = 200
LEASE_SECONDS = 4
WORK_ONCE = f"""
import django
django.setup()
from tests.support.sleepers import work_once
work_once({LEASE_SECONDS})
"""


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Child]:
    """A worker asleep at the gateway, which has charged all payments by then."""
    merchant = MerchantFactory(code="shop")
    for _ in range(PAYMENTS):
        PaymentFactory(merchant=merchant)
    worker = Child(
        [sys.executable, "-c", WORK_ONCE], tmp_path, DATABASE_URL=database_url_of_tests()
    )
    try:
        wait_for(lambda: worker.lines() == ["asleep"])
        yield worker
    finally:
        worker.kill_group()


def wake(worker: Child) -> int:
    """How many rows it writes, now that it goes on, until it ends."""
    before = rows_written()
    worker.say("wake up")
    assert worker.process.wait(PATIENCE_SECONDS) == 0
    assert worker.lines() == ["asleep", f"took {PAYMENTS}"]
    return rows_written() - before


def rows_written() -> int:
    """Inserted, updated and deleted in this database so far, by PostgreSQL's own count."""
    query("SELECT pg_stat_force_next_flush()")
    ((count,),) = query("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
    return int(count)


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    # Whole rows decide the order: no single column tells all of them apart.
    return {table: sorted(query(f'SELECT * FROM "{table}"'), key=repr) for table in tables}


def assert_each_is_charged_and_booked_once() -> None:
    assert Payment.objects.filter(status="SUCCEEDED", due_at=None).count() == PAYMENTS
    for model in (SimulatedOperation, JournalEntry, Event, GatewayAttempt):
        assert model._default_manager.count() == PAYMENTS
    assert balances()["clearing:sim:EUR"] == (PAYMENTS * 100_00, 0)
    assert_books_balance()


def test_asy_05_worker_that_slept_past_its_lease_writes_0_rows(sleeper: Child) -> None:
    batches = []
    wait_for(lambda: batches.append(process_payments()) or batches[-1])
    while taken := process_payments():
        batches.append(taken)
    before = everything()

    assert wake(sleeper) == 0

    assert everything() == before
    assert [taken for taken in batches if taken] == [32] * 6 + [8]  # somebody may have died of it
    assert Payment.objects.filter(attempts=2, fence=2, deaths=1).count() == PAYMENTS
    assert_each_is_charged_and_booked_once()


def test_worker_that_wakes_in_time_writes_its_rows(sleeper: Child) -> None:
    """So that the 0 of the other is a count."""
    wrote = wake(sleeper)

    # The payment, its entry with four postings, what is told of it, and the attempt.
    assert wrote >= PAYMENTS * 8
    assert Payment.objects.filter(attempts=1, fence=1, deaths=0).count() == PAYMENTS
    assert_each_is_charged_and_booked_once()
