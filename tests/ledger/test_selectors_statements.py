"""Reads: the statement of an account, page by page."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger.entries import AccountRef, AccountType, Direction, Entry, moves
from ledger.models import Account
from ledger.money import Money
from ledger.selectors import StatementPage, account_statement, balance_of
from ledger.selectors.statement_cursors import CursorInvalid
from ledger.selectors.statements import LINES_MAX, PeriodInvalid
from ledger.services.accounts import open_account
from tests.support.entries import NOON, deposit, transfer, wallet
from tests.support.history import post_at, seal_up_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

DAY = timedelta(days=1)
FEES = AccountRef("fees", AccountType.INCOME, "EUR")
BANK = AccountRef("bank", AccountType.ASSET, "EUR")


def fee(key: str, amount: int, *, at: datetime = NOON) -> Entry:
    """Fees come in: an account without a floor, which nobody locks."""
    return Entry(key, "fee", f"ref-{key}", at, moves(BANK, FEES, Money(amount, "EUR")))


def shown(page: StatementPage) -> list[tuple[str, int, int]]:
    """(reference, signed by direction, balance after)"""
    return [
        (
            line.reference,
            line.amount.amount * (1 if line.direction == Direction.CREDIT else -1),
            line.balance_after.amount,
        )
        for line in page.lines
    ]


def all_pages(account: Account, **asked: Any) -> list[StatementPage]:
    pages = [account_statement(account, **asked)]
    while cursor := pages[-1].next_cursor:
        pages.append(account_statement(account, **asked, cursor=cursor))
    return pages


@pytest.fixture(params=["nothing sealed", "half sealed", "all sealed"])
def account(request: pytest.FixtureRequest) -> Account:
    """Wallet `a`: 100 on the 2nd, -30 on the 4th, on the 6th found out: -5 on the 3rd, then +8."""
    a, b = wallet("a"), wallet("b")
    ids = [
        *post_at(NOON, [deposit("in", a, 100), deposit("other", b, 7)]),
        *post_at(NOON + 2 * DAY, [transfer("out", a, b, 30, at=NOON + 2 * DAY)]),
        *post_at(
            NOON + 4 * DAY,
            [
                transfer("late", a, b, 5, at=NOON + DAY),
                deposit("more", a, 8, at=NOON + 4 * DAY),
            ],
        ),
    ]
    if request.param == "half sealed":
        seal_up_to(ids[2])
    if request.param == "all sealed":
        seal_up_to(ids[0])
        seal_up_to(ids[-1])
    return Account.objects.get(code="a")


def test_statement_shows_what_was_booked_newest_first(account: Account) -> None:
    page = account_statement(account)

    assert shown(page) == [
        ("ref-more", 8, 73),
        ("ref-late", -5, 65),
        ("ref-out", -30, 70),
        ("ref-in", 100, 100),
    ]
    assert (page.opening_balance, page.closing_balance) == (Money(0, "EUR"), Money(73, "EUR"))
    assert page.next_cursor is None
    line = page.lines[1]
    assert line.journal_entry.startswith("je_")
    assert (line.kind, line.position, line.amount) == ("transfer", 0, Money(5, "EUR"))
    assert (line.effective_at, line.posted_at) == (NOON + DAY, NOON + 4 * DAY)


def test_statement_can_begin_with_the_oldest(account: Account) -> None:
    page = account_statement(account, newest_first=False)

    assert shown(page) == shown(account_statement(account))[::-1]
    assert (page.opening_balance, page.closing_balance) == (Money(0, "EUR"), Money(73, "EUR"))


@pytest.mark.parametrize("newest_first", [True, False])
def test_statement_of_a_period_joins_its_opening_and_its_closing_balance(
    account: Account, newest_first: bool
) -> None:
    """The 3rd and the 4th: the line found out later belongs to them."""
    since, until = NOON + DAY, NOON + 3 * DAY

    page = account_statement(account, since=since, until=until, newest_first=newest_first)

    expected = [("ref-out", -30, 70), ("ref-late", -5, 65)]
    assert shown(page) == (expected[::-1] if newest_first else expected)
    assert (page.opening_balance, page.closing_balance) == (Money(100, "EUR"), Money(65, "EUR"))
    assert page.closing_balance == balance_of(account, as_of=until)


def test_period_has_its_first_moment_and_not_its_last(account: Account) -> None:
    moment = NOON + 2 * DAY

    assert shown(account_statement(account, until=moment)) == [
        ("ref-late", -5, 95),
        ("ref-in", 100, 100),
    ]
    assert shown(account_statement(account, since=moment)) == [
        ("ref-more", 8, 73),
        ("ref-out", -30, 65),
    ]
    assert account_statement(account, since=moment).opening_balance == Money(95, "EUR")


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_are_the_statement_cut_in_pieces(
    account: Account, limit: int, newest_first: bool
) -> None:
    for period in ({}, {"since": NOON + DAY}, {"until": NOON + 3 * DAY}):
        wgap = account_statement(account, newest_first=newest_first, **period)

        pages = all_pages(account, limit=limit, newest_first=newest_first, **period)

        assert [line for page in pages for line in page.lines] == wgap.lines
        assert {len(page.lines) for page in pages[:-1]} <= {limit}
        assert {page.closing_balance for page in pages} == {wgap.closing_balance}
        assert {page.opening_balance for page in pages} == {wgap.opening_balance}


def test_two_postings_of_one_entry_may_end_up_on_two_pages() -> None:
    """An entry that moves the same account twice."""
    lines = (*moves(BANK, FEES, Money(10, "EUR")), *moves(FEES, BANK, Money(3, "EUR")))
    post_at(NOON, [fee("f1", 1), Entry("twice", "fee", "ref-twice", NOON, lines), fee("f2", 2)])
    fees = Account.objects.get(code="fees")

    newest = [shown(page)[0] for page in all_pages(fees, limit=1)]
    oldest = [shown(page)[0] for page in all_pages(fees, limit=1, newest_first=False)]

    assert newest == [
        ("ref-f2", 2, 10),
        ("ref-twice", -3, 8),
        ("ref-twice", 10, 11),
        ("ref-f1", 1, 1),
    ]
    assert oldest == newest[::-1]


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_is_posted_meanwhile_is_not_in_the_listing(
    account: Account, newest_first: bool
) -> None:
    wgap = account_statement(account, newest_first=newest_first)
    first = account_statement(account, newest_first=newest_first, limit=1)

    (last,) = post_at(NOON + 5 * DAY, [deposit("later", wallet("a"), 1_000)])
    second = account_statement(
        account, newest_first=newest_first, limit=1, cursor=first.next_cursor
    )
    seal_up_to(last)
    rest = account_statement(account, newest_first=newest_first, cursor=second.next_cursor)

    assert [*first.lines, *second.lines, *rest.lines] == wgap.lines
    assert rest.closing_balance == Money(73, "EUR")
    assert account_statement(account).closing_balance == Money(1_073, "EUR")


def test_empty_account_has_an_empty_statement() -> None:
    account = open_account(AccountRef("new", AccountType.ASSET, "JPY"))

    for newest_first in (True, False):
        assert account_statement(account, newest_first=newest_first) == StatementPage(
            [], Money(0, "JPY"), Money(0, "JPY"), None
        )


def test_limits_and_periods_that_make_no_sense_are_refused(account: Account) -> None:
    for limit in (0, -1, LINES_MAX + 1):
        with pytest.raises(ValueError, match="lines"):
            account_statement(account, limit=limit)
    for until in (NOON, NOON - DAY):
        with pytest.raises(PeriodInvalid):
            account_statement(account, since=NOON, until=until)
    with pytest.raises(ValueError, match="no time zone"):
        account_statement(account, since=datetime(2026, 3, 2))


def test_cursor_only_continues_its_own_listing(account: Account) -> None:
    cursor = account_statement(account, limit=1).next_cursor
    other = Account.objects.get(code="b")

    for subject, asked in (
        (other, {}),
        (account, {"newest_first": False}),
        (account, {"since": NOON}),
        (account, {"until": NOON}),
    ):
        with pytest.raises(CursorInvalid):
            account_statement(subject, cursor=cursor, **asked)


def encoded(values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def test_malformed_cursors_are_refused_and_never_reach_the_database(account: Account) -> None:
    cursor = account_statement(account, limit=1).next_cursor
    assert cursor is not None
    good = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    assert account_statement(account, cursor=encoded(good)).lines

    spoiled = [
        "",
        "?",
        "é",
        "a",
        cursor[:-3],
        cursor + "AAAA",
        encoded({}),
        encoded(None),
        encoded(good[:-1]),
        encoded([*good, 1]),
        "W" * 100_000,
        *(
            encoded([*good[:place], value, *good[place + 1 :]])
            for place in range(6)
            for value in (2**63, -(2**63), 1.5, "1", None, True, [])
        ),
        *(
            encoded([*good[:6], gaps, good[7]])
            for gaps in (
                "",
                "{[1,2}",
                "{[2,1)}",
                "{[1,1)}",
                "{(1,2]}",
                "{[1,)}",
                "{}{}",
                "x",
                None,
            )
        ),
        encoded([-1, *good[1:]]),
        encoded([good[5] + 1, *good[1:]]),
    ]
    for text in spoiled:
        with pytest.raises(CursorInvalid) as refusal:
            account_statement(account, cursor=text)
        assert refusal.value.code == "cursor_invalid"


def test_page_reads_what_it_shows_and_the_first_also_the_balances(
    account: Account, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        page = account_statement(account, since=NOON, limit=1)
    with django_assert_num_queries(1):
        account_statement(account, since=NOON, limit=1, cursor=page.next_cursor)
