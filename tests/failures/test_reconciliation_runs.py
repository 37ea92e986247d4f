"""A run that is cut off, or whose files came in another order, ends as any other."""

import sys
from itertools import permutations
from pathlib import Path

import psycopg
import pytest
from django.db import transaction

from ledger.models import Account, JournalEntry
from reconciliation.invariants import wrong_fees
from reconciliation.models import Discrepancy, FeeGroup, Match, ReconciliationRun
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import assert_books_balance
from tests.support.own_names import database_url_of_tests
from tests.support.reports import bank_of, charge, define_sources, load, payout_row, report
from tests.support.servers import Child, wait_for

BLOCKED = """
SELECT query FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
# Whoever finds the same waits until this is committed or, as here, taken back.
SAME_FINDING = """
WITH run AS (
    INSERT INTO reconciliation_reconciliationrun (
        public_id, as_of, source_code, rules, posted_through, match_count, discrepancy_count,
        result_hash
    ) VALUES ('run_x', now(), '', '{}', 0, 0, 0, '') RETURNING id
)
INSERT INTO reconciliation_discrepancy (
    public_id, key, type, status, source_id, reference, currency, amount, expected, actual, since,
    opened_by_id
)
SELECT 'disc_x', 'unexplained_bank_line:line:' || line.id, 'unexplained_bank_line', 'OPEN',
    account.source_id, '', 'EUR', 0, '', '', now(), run.id
FROM run, reconciliation_statementline AS line
JOIN reconciliation_sourceaccount AS account ON account.id = line.source_account_id
WHERE line.counterparty = 'Office Rent GmbH'
"""
RECONCILE = [sys.executable, "manage.py", "reconcile"]
ONE_MATCH_AT_A_TIME = """
import django

django.setup()
from reconciliation.services import booking, runs

booking.MATCHES_PER_TRANSACTION = 1
runs.reconcile()
"""
# Whoever posts the fees of a second chunk sleeps in that transaction.
SLEEP_IN_THE_SECOND = """
CREATE FUNCTION sleep_in_the_second() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM reconciliation_feegroup) > 1 THEN PERFORM pg_sleep(600); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sleep_in_the_second AFTER INSERT ON reconciliation_feegroup
FOR EACH STATEMENT EXECUTE FUNCTION sleep_in_the_second()
"""
WAKE_UP = """
DROP TRIGGER sleep_in_the_second ON reconciliation_feegroup;
DROP FUNCTION sleep_in_the_second()
"""
ASLEEP = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event = 'PgSleep'
"""
END_SLEEPERS = f"SELECT pg_terminate_backend(pid, 10000) FROM ({ASLEEP}) AS asleep"


def load_a_day() -> None:
    """Payments of which one differs, one is reported twice, some are not; a short deposit, rent."""
    GatewayFactory()
    processor, bank_source = define_sources()
    merchant = MerchantFactory()
    paid = [
        SucceededPaymentFactory(merchant=merchant, money=eur("100.00"), reference=f"ORDER-{n}")
        for n in range(4)
    ]
    rows = [charge(paid[0], "txn_0"), charge(paid[1], "txn_1", fee="3.00")]
    load(processor, report(*rows, charge(paid[0], "txn_2"), payout_row("po_000001", "98.35")))
    bank = bank_of()
    bank.book(eur("90.00"), counterparty="SIM PAYMENTS", text="po_000001")
    bank.book(eur("-25.00"), counterparty="Office Rent GmbH", text="RENT")
    load(bank_source, bank.statement())


@pytest.mark.django_db(transaction=True)
def test_run_that_is_killed_in_its_middle_goes_on_and_has_the_same_result(tmp_path: Path) -> None:
    load_a_day()
    with transaction.atomic():
        calm = reconcile().result_hash
        transaction.set_rollback(True)
    assert not ReconciliationRun.objects.exists()

    url = database_url_of_tests()
    with psycopg.connect(url) as in_the_way, psycopg.connect(url, autocommit=True) as watcher:
        # The processor's lines are matched by then, and the bank's are not.
        in_the_way.execute(SAME_FINDING)
        child = Child(RECONCILE, tmp_path, DATABASE_URL=url)
        try:
            wait_for(lambda: watcher.execute(BLOCKED).fetchall())
        finally:
            child.kill_group()
        in_the_way.rollback()
    cut_off = ReconciliationRun.objects.get()
    assert (cut_off.finished_at, Match.objects.count()) == (None, 2)
    assert not JournalEntry.objects.filter(kind="processor_fees").exists()

    run = reconcile()

    assert (run.pk, run.result_hash) == (cut_off.pk, calm)
    assert (run.match_count, ReconciliationRun.objects.count()) == (3, 1)
    group = FeeGroup.objects.get()
    fees = JournalEntry.objects.get(kind="processor_fees")
    assert (fees.reference, group.match_count) == (group.public_id, 2)
    assert not any(proof.difference for proof in tie_outs(run.as_of))
    assert_books_balance()
    again = reconcile()
    assert (again.match_count, again.discrepancy_count) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_run_that_is_killed_between_chunks_posts_no_fee_twice(tmp_path: Path) -> None:
    load_a_day()
    url = database_url_of_tests()
    with psycopg.connect(url, autocommit=True) as watcher:
        watcher.execute(SLEEP_IN_THE_SECOND)
        child = Child([sys.executable, "-c", ONE_MATCH_AT_A_TIME], tmp_path, DATABASE_URL=url)
        try:
            wait_for(lambda: watcher.execute(ASLEEP).fetchall())
        finally:
            child.kill_group()
            watcher.execute(END_SLEEPERS)
            watcher.execute(WAKE_UP)
    cut_off = ReconciliationRun.objects.get()
    first = FeeGroup.objects.get()
    assert (cut_off.finished_at, first.match_count, first.charged) == (None, 1, 165)
    assert cut_off.posted_through == first.last_match

    run = reconcile()

    second = FeeGroup.objects.exclude(pk=first.pk).get()
    assert (run.pk, second.run_id, second.charged) == (cut_off.pk, run.pk, 300)
    assert second.first_match > first.last_match
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 2
    assert Account.objects.get(code="expense:processing:EUR").balance.money == eur("4.65")
    assert wrong_fees() == []
    assert not any(proof.difference for proof in tie_outs(run.as_of))
    assert_books_balance()


@pytest.mark.django_db
def test_files_in_any_order_give_the_same_result(books: None) -> None:
    GatewayFactory()
    processor, bank_source = define_sources()
    merchant = MerchantFactory()
    paid = [
        SucceededPaymentFactory(merchant=merchant, money=eur("100.00"), reference=f"ORDER-{n}")
        for n in range(3)
    ]
    bank = bank_of()
    bank.book(eur("98.35"), counterparty="SIM PAYMENTS", text="po_000001")
    files = [
        ("a.csv", processor, report(charge(paid[0], "txn_0"), charge(paid[1], "txn_1"))),
        ("b.csv", processor, report(charge(paid[0], "txn_2"), payout_row("po_000001", "98.35"))),
        ("c.csv", processor, report(charge(paid[1], "txn_3", fee="2.00"))),
        ("d.xml", bank_source, bank.statement()),
    ]
    results = set()
    for order in permutations(files):
        with transaction.atomic():
            for name, source, content in order:
                load(source, content, name=name)
            hash_ = reconcile().result_hash
            found = Discrepancy.objects.values_list("type", "reference").order_by("pk")
            results.add((hash_, tuple(sorted(found))))
            transaction.set_rollback(True)

    ((_, found),) = results
    assert found[:2] == (("duplicate_line", "txn_2"), ("duplicate_line", "txn_3"))
