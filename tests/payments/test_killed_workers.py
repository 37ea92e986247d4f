"""kill -9 of real workers at the worst moments: every payment ends once, booked once."""

from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import Count

from ledger.models import JournalEntry
from payments.models import Payment, SimulatedOperation
from tests.factories import ApiKeyFactory, MerchantFactory, PaymentFactory
from tests.support.api import Api
from tests.support.books import assert_books_balance, balances, query
from tests.support.own_names import forget_redis_keys
from tests.support.servers import start_worker, wait_for

LEASE_SECONDS = 1.5


def kill_a_worker_about_to_write_to(table: str, folder: Path) -> None:
    """Start a worker and kill it and its child when it stands there with a batch in its hands."""
    waiting = """
        SELECT FROM pg_locks
        WHERE NOT granted AND relation = %s::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        worker = start_worker(folder, lease_seconds=LEASE_SECONDS)
        try:
            wait_for(lambda: query(waiting, [table]))
        finally:
            worker.kill_group()


def states() -> dict[str, int]:
    return dict(Payment.objects.values_list("status").annotate(n=Count("pk")).order_by())


@pytest.mark.django_db(transaction=True)
def test_workers_killed_in_the_middle_of_a_batch_lose_and_double_nothing(
    clean_redis: None, tmp_path: Path
) -> None:
    merchant = MerchantFactory(code="shop")
    for number in range(240):
        PaymentFactory(merchant=merchant, source="tok_declined" if number % 12 == 0 else "tok_visa")
    api = Api(ApiKeyFactory(merchant=merchant).secret)

    # The first dies while it asks the gateway; requests still come in.
    kill_a_worker_about_to_write_to("payments_simulatedoperation", tmp_path)
    answers = [api.pay(source="tok_timeout" if n % 6 == 0 else "tok_visa") for n in range(60)]
    assert {answer.status_code for answer in answers} == {202}
    assert states() == {"PROCESSING": 240, "PENDING": 60}
    assert not JournalEntry.objects.exists()

    # The second dies when the gateway has answered and nothing is booked; then Redis is flushed.
    kill_a_worker_about_to_write_to("ledger_journalentry", tmp_path)
    assert states() == {"PROCESSING": 300}
    assert not JournalEntry.objects.exists()
    assert SimulatedOperation.objects.exists()
    forget_redis_keys()

    # The third finishes what the others began.
    worker = start_worker(tmp_path, lease_seconds=LEASE_SECONDS)
    try:
        wait_for(lambda: states() == {"SUCCEEDED": 280, "FAILED": 20})
    finally:
        worker.kill_group()

    assert Payment.objects.filter(due_at=None).count() == 300
    assert SimulatedOperation.objects.values("key").distinct().count() == 300
    assert SimulatedOperation.objects.count() == 300
    assert set(JournalEntry.objects.values_list("reference", flat=True)) == set(
        Payment.objects.filter(status="SUCCEEDED").values_list("public_id", flat=True)
    )
    assert JournalEntry.objects.count() == 280
    assert balances() == {
        "clearing:sim:EUR": (280 * 100_00, 0),
        f"{merchant.public_id}merchant:shop:payable:EUR": (280 * 3_20, 280 * 100_00),
        "income:fees:EUR": (0, 280 * 3_20),
    }
    assert_books_balance()
