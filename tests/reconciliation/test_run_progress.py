"""A run that lasts says where it is, to whoever looks; one that was killed is not said to run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from config.people.roles import Role
from ledger.models import JournalEntry
from payments import cache, progress
from reconciliation.models import Match, ReconciliationRun, Source
from reconciliation.progress import RECONCILIATION, begin_phase, progress_of, run_under_way
from reconciliation.services.runs import match_arrivals, reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory, eur
from tests.support.back_office import browser_of, person
from tests.support.own_names import database_url_of_tests
from tests.support.races import meanwhile, wait_until_blocked
from tests.support.reports import DAY, charge, define_sources, load, report

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("books", "clean_redis"),
]
LIST = reverse("admin:reconciliation_reconciliationrun_changelist")
KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


@pytest.fixture
def viewer() -> Client:
    return browser_of(person("viewer@example.com", Role.VIEWER))


@pytest.fixture
def processor() -> Source:
    """A processor that reported a payment; its bank has sent nothing."""
    GatewayFactory()
    processor, _ = define_sources()
    payment = SucceededPaymentFactory(money=eur("100.00"))
    load(processor, report(charge(payment, "txn_1")))
    return processor


@contextmanager
def held_up_at(table: type[Any]) -> Iterator[psycopg.Connection]:
    """Nobody writes the table during the block."""
    with psycopg.connect(database_url_of_tests()) as holder:
        holder.execute(f"LOCK TABLE {table._meta.db_table} IN SHARE MODE")
        yield holder


def pages_of(viewer: Client, run: ReconciliationRun) -> tuple[str, str, str]:
    """The run's page, the piece that is asked for again, and the list."""
    urls = [
        reverse(f"admin:reconciliation_reconciliationrun_{name}", args=[run.pk])
        for name in ("change", "watch")
    ]
    page, piece, listed = (viewer.get(url).content.decode() for url in (*urls, LIST))
    return page, piece, listed


def test_who_looks_at_a_run_sees_source_and_phase_while_its_transaction_is_open(
    processor: Source, viewer: Client
) -> None:
    with held_up_at(Match) as holder, meanwhile(reconcile):
        wait_until_blocked("reconciliation", "store_matches")
        run = ReconciliationRun.objects.get()
        shown = pages_of(viewer, run)
        holder.rollback()

    assert not run.matches.exists() or run.finished_at is None
    for page in shown:
        assert "Source 1 of 2, sim: keeping what matched." in page
        assert "under way" in page
        assert f'data-refresh="/admin/reconciliation/reconciliationrun/{run.pk}/watch/"' in page
    for page in (shown[0], shown[2]):
        assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    run.refresh_from_db()
    for page in pages_of(viewer, run)[:2]:
        assert "1 matches, 0 discrepancies." in page
        assert "data-refresh" not in page
    assert 'http-equiv="refresh"' not in viewer.get(LIST).content.decode()
    assert run_under_way() is None


def test_posting_is_told_in_matches(processor: Source) -> None:
    with held_up_at(JournalEntry) as holder, meanwhile(reconcile):
        wait_until_blocked("ledger", "write_batch")
        run = ReconciliationRun.objects.get()
        found = progress_of(run)
        holder.rollback()

    newest = Match.objects.latest("pk").pk
    assert (found.said, found.percent) == (f"Posting: about 0 of {newest} matches.", 0)
    run.posted_through = newest // 2
    assert progress_of(run).state == "cut off"  # nobody holds the lock now


def test_killed_run_is_not_said_to_run_and_the_next_one_ends_it(
    processor: Source, viewer: Client
) -> None:
    with held_up_at(Match), meanwhile(reconcile) as outcome:
        wait_until_blocked("reconciliation", "store_matches")
        with psycopg.connect(database_url_of_tests(), autocommit=True) as killer:
            killer.execute(KILL)

    assert isinstance(outcome[0], Exception)
    run = ReconciliationRun.objects.get()
    for page in pages_of(viewer, run):
        assert "cut off" in page
        assert "Source 1 of 2" not in page
        assert "data-refresh" not in page
    assert reconcile() == run
    run.refresh_from_db()
    assert progress_of(run).said == "1 matches, 0 discrepancies."


def test_other_run_than_the_one_under_way_is_cut_off(processor: Source) -> None:
    left = ReconciliationRun.objects.create(as_of=DAY, source_code="gone", rules={})

    with held_up_at(Match) as holder, meanwhile(match_arrivals):
        wait_until_blocked("reconciliation", "store_matches")
        under_way = run_under_way()
        found = progress_of(left)
        holder.rollback()

    assert under_way is not None
    assert under_way.run.trigger == "arrival"
    assert found.state == "cut off"
    assert found.said == f"{under_way.run} is under way; what is left here is done in turn."


def test_without_redis_a_run_is_under_way_and_nobody_knows_how_far(
    processor: Source, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    with held_up_at(Match) as holder, meanwhile(reconcile):
        wait_until_blocked("reconciliation", "store_matches")
        found = run_under_way()
        holder.rollback()

    assert found is not None
    assert (found.state, found.percent) == ("under way", None)
    assert found.said == "A run is under way; how far it is cannot be told."
    assert Match.objects.count() == 1


@pytest.mark.parametrize("forget", [True, False])
def test_words_of_another_connection_count_for_nothing(processor: Source, forget: bool) -> None:
    """Redis was emptied while it ran, or still has what somebody said who was killed."""
    with held_up_at(Match) as holder, meanwhile(reconcile):
        wait_until_blocked("reconciliation", "store_matches")
        run = ReconciliationRun.objects.get()
        if forget:
            cache.ask(lambda client: client.flushdb())
            begin_phase("a word of its own comes later")
        else:
            progress.begin(RECONCILIATION, run=run.public_id, phase="a dead man's word")
        found = progress_of(run)
        holder.rollback()

    assert found.said == "A run is under way; how far it is cannot be told."
