"""ASY-06: a row that kills whoever takes it is parked after three deaths; the others are done."""

from pathlib import Path

import pytest

from ledger.models import JournalEntry
from payments.models import ParkedWork, Payment, SimulatedOperation
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.books import assert_books_balance, balances
from tests.support.celery_processes import start_ready_worker
from tests.support.poisonous import POISON
from tests.support.servers import wait_for

SECONDS = 60
# Hearts beat twice as fast as in production, and are missed after 4 s instead of 10 s.
INFECTED = (
    "from payments import work; work.HEARTBEAT_SECONDS, work.DEAD_AFTER_SECONDS = 1, 4;"
    "from tests.support.poisonous import infect; infect()"
)


@pytest.mark.django_db(transaction=True)
def test_asy_06_poison_is_parked_after_three_deaths_and_the_other_99_rows_are_done(
    clean_redis: None, tmp_path: Path
) -> None:
    merchant = MerchantFactory(code="shop")
    for number in range(100):
        PaymentFactory(merchant=merchant, source=POISON if number == 50 else "tok_visa")

    worker = start_ready_worker(tmp_path, "-c", "1", first=INFECTED)
    try:
        wait_for(lambda: Payment.objects.filter(status="SUCCEEDED").count() == 99, SECONDS)
        wait_for(ParkedWork.objects.exists, SECONDS)
        wait_for(lambda: not Payment.objects.filter(due_at__isnull=False).exists())
    finally:
        worker.kill_group()

    poison = Payment.objects.get(source=POISON)
    parked = ParkedWork.objects.get()
    assert (parked.queue, parked.row_id) == ("payments_payment", poison.pk)
    assert (parked.deaths, parked.failures, parked.attempts) == (3, 0, 4)
    assert (poison.status, poison.due_at, poison.holder) == ("PROCESSING", None, None)
    assert poison.problem == "3 workers died while they held it."
    assert not Payment.objects.exclude(pk=poison.pk).filter(deaths__gt=2).exists()
    assert JournalEntry.objects.count() == SimulatedOperation.objects.count() == 99
    assert balances()["clearing:sim:EUR"] == (99 * 100_00, 0)
    assert_books_balance()
