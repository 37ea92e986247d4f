"""Events of transactions that overlap are seen in the order of their list, and none is left out."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.utils import timezone

from payments.event_lists import read_event_horizon
from payments.events import Fact, tell
from payments.models import ApiKey, Event, Merchant
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.api import Api
from tests.support.races import PATIENCE_SECONDS, meanwhile, run_together

pytestmark = pytest.mark.django_db(transaction=True)

Subjects = Callable[..., list[str]]


def tell_of(merchant: Merchant, *subjects: str) -> None:
    tell([Fact("payment.failed", each, merchant.pk, {}) for each in subjects], at=timezone.now())


@contextmanager
def told_but_not_committed(
    merchant: Merchant, subject: str, *, then_fail: bool = False
) -> Iterator[None]:
    """Beside the block, another transaction has told an event; it ends after the block."""
    is_told, may_end = threading.Event(), threading.Event()

    def tell_slowly() -> None:
        with transaction.atomic():
            tell_of(merchant, subject)
            is_told.set()
            assert may_end.wait(PATIENCE_SECONDS)
            transaction.set_rollback(then_fail)

    with meanwhile(tell_slowly) as outcomes:
        assert is_told.wait(PATIENCE_SECONDS)
        try:
            yield
        finally:
            may_end.set()
    assert outcomes == [None]


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


@pytest.fixture
def shown(merchant: Merchant) -> Subjects:
    """What the merchant sees, a page of one after the other."""
    api = Api(ApiKeyFactory(merchant=merchant, scopes=[ApiKey.Scope.EVENTS_READ]).secret)

    def read(**query: str) -> list[str]:
        found, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = api.get("/events", limit="1", **query, **more).json()
            found += [event["subject_id"] for event in page["results"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    return read


def test_event_that_is_committed_late_is_no_older_than_what_was_seen(
    merchant: Merchant, shown: Subjects
) -> None:
    tell_of(merchant, "before")
    with told_but_not_committed(merchant, "slow"):
        tell_of(merchant, "quick")

        assert shown() == ["before"]

    assert shown() == ["quick", "slow", "before"]


def test_who_asks_for_what_is_after_the_newest_they_know_misses_nothing(
    merchant: Merchant, shown: Subjects
) -> None:
    tell_of(merchant, "first")
    newest = Event.objects.get().public_id
    known = shown()
    with told_but_not_committed(merchant, "slow"):
        tell_of(merchant, "quick")
        known += shown(after=newest)
        with told_but_not_committed(merchant, "slower"):
            known += shown(after=newest)
        known += shown(after=newest)
        assert known == ["first"]

    assert shown(after=newest) == ["slower", "quick", "slow"]


def test_event_of_a_transaction_that_is_undone_keeps_nobody(
    merchant: Merchant, shown: Subjects
) -> None:
    with told_but_not_committed(merchant, "never", then_fail=True):
        tell_of(merchant, "quick")
        assert shown() == []

    assert shown() == ["quick"]


def test_who_tells_sees_it_and_a_savepoint_takes_its_announcement_along(
    merchant: Merchant, shown: Subjects
) -> None:
    tell_of(merchant, "before")
    first = Event.objects.get().pk
    with transaction.atomic():
        with transaction.atomic():
            tell_of(merchant, "undone")
            transaction.set_rollback(True)
        # An id was drawn, and nothing will come of it.
        assert run_together(read_event_horizon) == [first + 1]
        tell_of(merchant, "one")
        tell_of(merchant, "two")
        assert shown() == ["two", "one", "before"]
        assert run_together(read_event_horizon) == [first + 1]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND classid::bigint >> 16 = 7008 AND pid = pg_backend_pid()"
            )
            assert cursor.fetchone() == (1,)  # however many statements

    assert run_together(read_event_horizon) == [first + 3]


def test_reader_beside_many_writers_gets_every_event_once(
    merchant: Merchant, shown: Subjects
) -> None:
    """Poll by `after` while others write in transactions that overlap."""
    tell_of(merchant, "start")
    is_over = threading.Event()

    def write(name: str) -> Callable[[], None]:
        def keep_writing() -> None:
            for number in range(40):
                with transaction.atomic():
                    tell_of(merchant, f"{name}{number}")
                    transaction.get_connection().cursor().execute("SELECT pg_sleep(0.002)")

        return keep_writing

    got = ["start"]

    def poll() -> None:
        while True:
            was_over = is_over.is_set()
            newest = Event.objects.get(subject=got[-1]).public_id
            got.extend(reversed(shown(after=newest)))
            if was_over:
                return

    with meanwhile(poll) as outcomes:
        written = run_together(*[write(name) for name in "abcd"])
        is_over.set()

    assert (written, outcomes) == ([None] * 4, [None])
    assert len(got) == len(set(got)) == 1 + 4 * 40
