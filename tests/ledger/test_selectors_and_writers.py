"""Reads while others write: entries become visible out of order, and no listing may show it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections, transaction

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.models import Account, JournalEntry
from ledger.money import Money
from ledger.selectors import StatementPage, account_statement, balance_of, statements
from ledger.services.posting import post_entries
from ledger.services.sealing import seal_entries
from tests.support.books import query
from tests.support.entries import NOON
from tests.support.races import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]

# Without a floor, so nobody locks them before the ids of an entry are taken.
FEES = AccountRef("fees", AccountType.INCOME, "EUR")
OTHER = AccountRef("other", AccountType.INCOME, "EUR")
BANK = AccountRef("bank", AccountType.ASSET, "EUR")


def fee(name: str, amount: int) -> Entry:
    return Entry(name, "fee", name, NOON, moves(BANK, FEES, Money(amount, "EUR")))


class Straggler:
    """Posts an entry on a connection of its own, and commits when it is told to."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.may_commit = threading.Event()
        self.thread = threading.Thread(target=self._post, daemon=True)
        self.thread.start()

    def _post(self) -> None:
        try:
            with transaction.atomic():
                post_entries([self.entry])
                self.may_commit.wait(PATIENCE_SECONDS)
        finally:
            connections.close_all()

    def commit(self) -> None:
        self.may_commit.set()
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()


def wait_until_somebody_waits_for_a_balance() -> None:
    """By then the straggler has its entry, under an id of its own, and waits for our locks."""
    # Of this database: its transaction has locked tables in it.
    waiting = """
        SELECT 1 FROM pg_locks AS awaited JOIN pg_locks AS held USING (pid)
        WHERE NOT awaited.granted AND awaited.locktype = 'transactionid'
            AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    for _ in range(PATIENCE_SECONDS * 100):
        if query(waiting):
            return
        time.sleep(0.01)
    raise AssertionError("Nobody waits.")


@contextmanager
def journal_with_a_gap() -> Iterator[Straggler]:
    """One, two, before and after are there; between these two, `late` is not committed yet."""
    elsewhere = Entry("x", "fee", "elsewhere", NOON, moves(BANK, OTHER, Money(9, "EUR")))
    post_entries([fee("one", 1), elsewhere, fee("two", 20)])
    with transaction.atomic():
        post_entries([fee("before", 300)])
        late = Straggler(fee("late", 4_000))
        wait_until_somebody_waits_for_a_balance()
        post_entries([fee("after", 50_000)])
    try:
        yield late
    finally:
        late.commit()
    assert list(JournalEntry.objects.order_by("pk").values_list("reference", flat=True)) == [
        *("one", "elsewhere", "two", "before", "late", "after")
    ]


def lines(
    account: Account, *, newest_first: bool, cursor: str | None = None, limit: int = 1_000
) -> tuple[StatementPage, list[tuple[str, int]]]:
    """A page, and the reference and balance of each line on it."""
    page = account_statement(account, newest_first=newest_first, cursor=cursor, limit=limit)
    return page, [(line.reference, line.balance_after.amount) for line in page.lines]


IN_ORDER = [("one", 1), ("two", 21), ("before", 321), ("after", 50_321)]


@pytest.mark.parametrize("gaps_max", [100, 1], ids=["gaps of the account", "gaps of the journal"])
@pytest.mark.parametrize("is_sealed", [False, True], ids=["not sealed", "sealed meanwhile"])
@pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "oldest first"])
def test_entry_committed_between_two_pages_is_in_neither(
    newest_first: bool, is_sealed: bool, gaps_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id is lower than ids that are shown, and its transaction has savepoints."""
    monkeypatch.setattr(statements, "GAPS_MAX", gaps_max)
    expected = IN_ORDER[::-1] if newest_first else IN_ORDER
    with journal_with_a_gap() as late:
        fees = Account.objects.get(code="fees")
        first, shown = lines(fees, newest_first=newest_first, limit=1)
        assert shown == expected[:1]
        late.commit()
        assert balance_of(fees) == Money(54_321, "EUR")
        if is_sealed:
            assert [seal.last_entry_id for seal in seal_entries()] == [
                JournalEntry.objects.latest("pk").pk
            ]

        second, shown = lines(fees, newest_first=newest_first, cursor=first.next_cursor, limit=2)
        assert shown == expected[1:3]
        third, shown = lines(fees, newest_first=newest_first, cursor=second.next_cursor)

    assert shown == expected[3:]
    assert third.closing_balance == Money(50_321, "EUR")
    assert third.next_cursor is None
    assert lines(fees, newest_first=False)[1] == [
        *IN_ORDER[:3],
        ("late", 4_321),
        ("after", 54_321),
    ]


def test_balance_and_lines_of_a_page_agree_while_a_straggler_is_out() -> None:
    with journal_with_a_gap():
        fees = Account.objects.get(code="fees")

        assert balance_of(fees) == balance_of(fees, as_of=NOON) == Money(50_321, "EUR")
        assert lines(fees, newest_first=True)[1] == IN_ORDER[::-1]
