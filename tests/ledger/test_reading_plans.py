"""Reads find their rows by index, and few of them, however long the journal is."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.models import Account
from ledger.money import Money
from ledger.selectors import account_statement, balance_of, trial_balance
from tests.support.entries import NOON
from tests.support.history import post_at, seal_up_to
from tests.support.plans import looked_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

DAY = timedelta(days=1)
DAYS = 20
ENTRIES_A_DAY = 1_000
HOT = AccountRef("hot", AccountType.INCOME, "EUR")
COLD = [AccountRef(f"cold:{n}", AccountType.LIABILITY, "EUR") for n in range(200)]
THEN = NOON + 7 * DAY
END_OF_DAY = THEN + DAY / 2 - timedelta(microseconds=1)
# What a read may look at: the account's postings on a day a moment cuts through, those of another
# day that were posted then or for it, and those behind the last seal.
ONE_DAY = LATE_DAY = UNSEALED = 1_000
PAGE = 100 + 3  # the line before it and what tells whether there are more

READS: list[tuple[str, Callable[[Account], object], int]] = [
    ("now", balance_of, 0),
    ("as of", lambda it: balance_of(it, as_of=THEN), ONE_DAY + LATE_DAY + UNSEALED),
    ("as of a day's end", lambda it: balance_of(it, as_of=END_OF_DAY), UNSEALED),
    ("known at", lambda it: balance_of(it, known_at=THEN), ONE_DAY + UNSEALED),
    ("known at a day's end", lambda it: balance_of(it, known_at=END_OF_DAY), UNSEALED),
    ("known then", lambda it: balance_of(it, as_of=THEN, known_at=THEN), ONE_DAY + UNSEALED),
    ("newest lines", account_statement, UNSEALED + PAGE),
    ("oldest lines", lambda it: account_statement(it, newest_first=False), UNSEALED + PAGE),
    ("newest lines, next page", lambda it: next_page(it, newest_first=True), PAGE),
    ("oldest lines, next page", lambda it: next_page(it, newest_first=False), PAGE),
]


def next_page(account: Account, *, newest_first: bool) -> None:
    """The second page. What the first one looks at is forgotten."""
    cursor = account_statement(account, newest_first=newest_first, limit=20).next_cursor
    connection.queries_log.clear()
    account_statement(account, newest_first=newest_first, cursor=cursor)


def journal_of_many_days() -> None:
    """20,000 entries of 20 days, each from a hot account to one of 200; the last day not sealed.

    Twenty entries of every day were found out three days late.
    """
    for day in range(DAYS):
        now = NOON + day * DAY
        entries = [
            Entry(
                f"{day} {n}",
                "test",
                "r",
                now - 3 * DAY if n % 50 == 0 else now,
                moves(HOT, COLD[n % 200], Money(1 + n, "EUR")),
            )
            for n in range(ENTRIES_A_DAY)
        ]
        ids = post_at(now, entries)
        if day < DAYS - 1:
            seal_up_to(ids[-1])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def test_reads_look_at_few_postings_and_never_walk_through_the_journal() -> None:
    journal_of_many_days()
    walks, too_many = [], []
    for account in Account.objects.filter(code__in=[HOT.code, COLD[7].code]):
        for name, read, most in READS:
            found = looked_at(partial(read, account))
            walks += [
                (account.code, name, table)
                for table, how, _ in found
                if how == "Seq Scan" and table in {"ledger_posting", "ledger_journalentry"}
            ]
            postings = sum(rows for table, _, rows in found if table == "ledger_posting")
            if postings > most:
                too_many.append((account.code, name, postings, most))

    assert walks == []
    assert too_many == []


def test_totals_of_all_accounts_do_not_walk_through_the_journal() -> None:
    journal_of_many_days()
    for read in (
        lambda _: trial_balance(),
        lambda _: trial_balance(as_of=END_OF_DAY),
        lambda _: trial_balance(as_of=THEN, known_at=THEN),
    ):
        found = looked_at(partial(read, Account()))

        postings = sum(rows for table, _, rows in found if table == "ledger_posting")
        assert postings <= 2 * (ONE_DAY + LATE_DAY + UNSEALED)


def test_totals_of_a_past_day_look_at_no_days_but_those_of_its_month() -> None:
    """A year of one entry a day between two accounts; half of the year is asked for."""
    for day in range(0, 360, 30):
        entries = [
            Entry(f"{n}", "test", "r", NOON + n * DAY, moves(HOT, COLD[0], Money(1, "EUR")))
            for n in range(day, day + 30)
        ]
        seal_up_to(post_at(NOON + (day + 30) * DAY, entries)[-1])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for read in (
        lambda _: trial_balance(as_of=NOON + 180 * DAY),
        lambda _: trial_balance(as_of=NOON + 180 * DAY, known_at=NOON + 250 * DAY),
    ):
        found = looked_at(partial(read, Account()))

        days = sum(rows for table, _, rows in found if table == "ledger_daytotal")
        assert 0 < days <= 3 * 2 * 31
        assert not [how for table, how, _ in found if table == "ledger_daytotal" and "Seq" in how]
