"""A batch by itself begins and commits with its statements: all of it or nothing, as ever."""

from collections.abc import Callable
from contextlib import ExitStack

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from ledger.entries import Entry
from ledger.models import JournalEntry
from ledger.services.posting import post_entries, post_entry
from ledger.sql.transactions import ShortTransaction
from tests.support.entries import balance, deposit, funded, transfer, wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]

A, B = wallet("a"), wallet("b")


def begin_and_fail(fail: Callable[[], object]) -> None:
    nothing = {"owners": [], "codes": [], "keys": [], "undone": [], "locks_floored": False}
    with connection.wrap_database_errors, ShortTransaction() as running:
        running.row("ledger", "look_up_batch", count=1, **nothing)
        fail()
        running.row("ledger", "look_up_batch", count=1, **nothing)


def has_open_transaction() -> bool:
    status = connection.connection.info.transaction_status
    return bool(status != psycopg.pq.TransactionStatus.IDLE)


@pytest.mark.parametrize("times", [1, 2], ids=["plain", "with its replay"])
def test_batch_by_itself_is_one_statement_or_two_and_committed(
    statements: list[str], times: int
) -> None:
    funded(A, 5)
    statements.clear()

    post_entries(times * [deposit("d", A, 5)])

    assert len(statements) == times
    assert not has_open_transaction()
    connection.close()
    assert balance(A) == 10


@pytest.mark.parametrize("entry", [transfer("t", A, B, 11), deposit("funding:mer_1:a", A, 10)])
def test_batch_that_writes_nothing_leaves_no_transaction_open(entry: Entry) -> None:
    funded(A, 10)
    funded(B, 1)

    post_entries([entry])

    assert not has_open_transaction()
    assert JournalEntry.objects.count() == 2


def test_hooks_of_the_transaction_around_it_run_when_that_commits() -> None:
    told: list[str] = []

    with transaction.atomic():
        transaction.on_commit(lambda: told.append("committed"))
        post_entry(deposit("d", A, 5))
        assert told == []
        assert has_open_transaction()

    assert told == ["committed"]
    assert balance(A) == 5


def test_transaction_around_it_takes_it_back() -> None:
    with transaction.atomic():
        post_entry(deposit("d", A, 5))
        transaction.set_rollback(True)

    assert JournalEntry.objects.count() == 0


@pytest.mark.parametrize("is_nested", [False, True])
def test_error_undoes_it_and_nothing_around_it(is_nested: bool) -> None:
    with ExitStack() as around:
        if is_nested:
            around.enter_context(transaction.atomic())
            post_entry(deposit("d", A, 5))
        with pytest.raises(DatabaseError):
            begin_and_fail(lambda: connection.connection.execute("SELECT 1 / 0"))
        assert has_open_transaction() == is_nested

    assert balance(A) == (5 if is_nested else 0)


def test_lost_connection_is_given_up() -> None:
    with pytest.raises(DatabaseError):
        begin_and_fail(lambda: connection.connection.close())

    assert connection.connection is None
    post_entry(deposit("d", A, 5))
    assert balance(A) == 5
