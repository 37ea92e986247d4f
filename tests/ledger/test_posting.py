"""post_entries: one result per entry, in order, as if they were posted one by one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger import sql
from ledger.entries import AccountRef, AccountType, Entry, credit, debit, lines, moves
from ledger.errors import Conflict
from ledger.models import Account, AccountBalance, JournalEntry, Posting
from ledger.money import AMOUNT_MAX, Money
from ledger.services.posting import EntryRefused, Result, Status, post_entries, post_entry
from tests.support.entries import CASH, NOON, SALES, balance, deposit, funded, transfer, wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

POSTED, REPLAYED, REFUSED = Status.POSTED, Status.REPLAYED, Status.REFUSED


def statuses(results: list[Result]) -> list[str]:
    return [result.code or result.status for result in results]


def first_line(statement: str) -> str:
    return sql.statement("ledger", statement).splitlines()[0]


def sale(key: str, amount: int) -> Entry:
    return Entry(key, "sale", "order-1", NOON, moves(CASH, SALES, Money(amount, "EUR")))


def test_entry_is_written_down_with_its_postings_and_balances() -> None:
    result = post_entry(sale("s1", 12_34))

    entry = JournalEntry.objects.get()
    assert (result.status, result.entry_id, result.public_id) == (
        POSTED,
        entry.pk,
        entry.public_id,
    )
    assert entry.public_id.startswith("je_")
    assert (entry.idempotency_key, entry.kind, entry.reference) == ("s1", "sale", "order-1")
    assert (entry.posting_count, entry.effective_at) == (2, NOON)
    assert list(
        Posting.objects.values_list("entry_id", "position", "account__code", "direction", "amount")
    ) == [
        (entry.pk, 0, "cash", "debit", 12_34),
        (entry.pk, 1, "sales", "credit", 12_34),
    ]
    assert list(
        AccountBalance.objects.values_list("account__code", "debits", "credits").order_by(
            "account__code"
        )
    ) == [("cash", 12_34, 0), ("sales", 0, 12_34)]


def test_nothing_to_post_is_no_work(statements: list[str]) -> None:
    assert post_entries([]) == []

    assert statements == []


@pytest.mark.parametrize("count", [1, 1_000])
def test_batch_that_nothing_speaks_against_is_one_statement_whatever_its_size(
    statements: list[str], count: int
) -> None:
    post_entry(sale("open the accounts", 1))
    statements.clear()

    results = post_entries([sale(f"s{n}", n + 1) for n in range(count)])

    assert [line for line in statements if not line.endswith(" short")] == [
        first_line("post_batch")
    ]  # a small batch begins and ends its savepoint with it, a large one beside it
    assert statuses(results) == ["posted"] * count
    assert [result.entry_id for result in results] == sorted(
        result.entry_id or 0 for result in results
    )
    assert JournalEntry.objects.count() == 1 + count
    assert balance(CASH) == balance(SALES) == 1 + count * (count + 1) // 2


def test_large_batch_is_written_by_the_thousand(statements: list[str]) -> None:
    post_entry(sale("open the accounts", 1))
    statements.clear()

    post_entries([sale(f"s{n}", 1) for n in range(2_001)])

    assert statements.count(first_line("post_batch")) == 3
    assert balance(CASH) == 2_002


def test_large_batch_that_something_speaks_against_is_written_by_the_thousand_too(
    statements: list[str],
) -> None:
    post_entry(sale("s2000", 1))
    statements.clear()

    results = post_entries([sale(f"s{n}", 1) for n in range(2_001)])

    assert statuses(results) == ["posted"] * 2_000 + ["replayed"]
    assert statements.count(first_line("write_batch")) == 3  # the last one moves balances only
    assert balance(CASH) == 2_001
    assert JournalEntry.objects.count() == 2_001


def test_entry_may_touch_an_account_more_than_once() -> None:
    income, due = SALES, wallet("w")
    both = lines(moves(CASH, due, Money(100, "EUR")), moves(due, income, Money(3, "EUR")))

    post_entry(Entry("p", "payment", "pay_1", NOON, both))

    assert (balance(CASH), balance(due), balance(income)) == (100, 97, 3)
    assert list(
        Posting.objects.filter(account__code="w")
        .order_by("position")
        .values_list("position", "direction", "amount")
    ) == [(1, "credit", 100), (2, "debit", 3)]


def test_same_entry_again_is_a_replay() -> None:
    first = post_entry(sale("s1", 5))

    again = post_entry(sale("s1", 5))

    assert again == Result(REPLAYED, first.entry_id, first.public_id)
    assert JournalEntry.objects.count() == 1
    assert balance(CASH) == 5


def test_same_entry_twice_in_one_batch_is_posted_once() -> None:
    results = post_entries([sale("s1", 5), sale("s2", 7), sale("s1", 5)])

    assert statuses(results) == ["posted", "posted", "replayed"]
    assert results[2].public_id == results[0].public_id
    assert balance(CASH) == 12


@pytest.mark.parametrize(
    "other",
    [
        sale("s1", 6),
        replace(sale("s1", 5), kind="refund"),
        replace(sale("s1", 5), reference="order-2"),
        replace(sale("s1", 5), effective_at=NOON + timedelta(microseconds=1)),
        replace(sale("s1", 5), lines=moves(SALES, CASH, Money(5, "EUR"))),
        replace(sale("s1", 5), lines=moves(CASH, wallet("w"), Money(5, "EUR"))),
    ],
    ids=["amount", "kind", "reference", "effective_at", "direction", "account"],
)
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_same_key_for_another_entry_is_a_conflict(other: Entry, in_one_batch: bool) -> None:
    if in_one_batch:
        first, second = post_entries([sale("s1", 5), other])
    else:
        first, second = post_entry(sale("s1", 5)), *post_entries([other])

    assert statuses([first, second]) == ["posted", "idempotency_conflict"]
    assert second.entry_id is None
    assert JournalEntry.objects.count() == 1
    assert (balance(CASH), balance(wallet("w"))) == (5, 0)


def test_zone_of_the_effective_moment_does_not_make_another_entry() -> None:
    post_entry(sale("s1", 5))
    stored = JournalEntry.objects.get().effective_at

    result = post_entry(replace(sale("s1", 5), effective_at=stored))

    assert result.status == REPLAYED


def test_floor_is_kept_to_the_last_minor_unit() -> None:
    source, target = funded(wallet("a"), 100), wallet("b")

    over, exact, more = post_entries(
        [
            transfer("over", source, target, 101),
            transfer("exact", source, target, 100),
            transfer("more", source, target, 1),
        ]
    )

    assert statuses([over, exact, more]) == [
        "insufficient_funds",
        "posted",
        "insufficient_funds",
    ]
    assert over.message == "The balance of a does not allow this."
    assert (balance(source), balance(target)) == (0, 100)


def test_entries_are_decided_in_the_order_they_come_in() -> None:
    a, b, c = funded(wallet("a"), 100), wallet("b"), wallet("c")

    early = post_entries([transfer("t1", b, c, 60), transfer("t2", a, b, 60)])
    late = post_entries([transfer("t3", a, b, 40), transfer("t4", b, c, 100)])

    assert statuses(early) == ["insufficient_funds", "posted"]
    assert statuses(late) == ["posted", "posted"]
    assert (balance(a), balance(b), balance(c)) == (0, 0, 100)


def test_refused_entry_does_not_fail_its_neighbours_and_leaves_no_trace() -> None:
    source = funded(wallet("a"), 10)
    before = JournalEntry.objects.count()

    results = post_entries(
        [
            transfer("t1", source, wallet("b"), 4),
            transfer("t2", source, wallet("b"), 7),
            transfer("t3", source, wallet("b"), 6),
        ]
    )

    assert statuses(results) == ["posted", "insufficient_funds", "posted"]
    assert JournalEntry.objects.count() == before + 2
    assert not JournalEntry.objects.filter(idempotency_key="t2").exists()
    assert (balance(source), balance(wallet("b"))) == (0, 10)


def test_refused_entry_may_be_tried_again_under_its_key() -> None:
    source = funded(wallet("a"), 5)
    tried = transfer("t1", source, wallet("b"), 7)
    assert statuses(post_entries([tried])) == ["insufficient_funds"]

    results = post_entries([tried, deposit("d2", source, 2), tried, tried])

    assert statuses(results) == ["insufficient_funds", "posted", "posted", "replayed"]
    assert balance(source) == 0


def test_entry_counts_as_a_whole_against_the_floor() -> None:
    """Money that only passes through an account does not have to be there before."""
    a = wallet("a")
    passing = lines(moves(a, SALES, Money(50, "EUR")), moves(CASH, a, Money(50, "EUR")))

    result = post_entry(Entry("through", "test", "r", NOON, passing))

    assert result.status == POSTED
    assert (balance(a), balance(SALES)) == (0, 50)


def test_account_under_its_floor_may_be_paid_into() -> None:
    account = funded(wallet("a", floor=None), 10)
    post_entry(transfer("overdraw", account, wallet("b"), 30))
    Account.objects.filter(code="a").update(floor=0)

    results = post_entries([deposit("in", account, 5), transfer("out", account, wallet("b"), 1)])

    assert statuses(results) == ["posted", "insufficient_funds"]
    assert balance(account) == -15
    post_entry(deposit("enough", account, 15))


def test_floor_of_an_asset_is_on_its_debit_side() -> None:
    till = AccountRef("till", AccountType.ASSET, "EUR", floor=0)

    taken = Entry("out", "test", "r", NOON, moves(SALES, till, Money(1, "EUR")))
    given = Entry("in", "test", "r", NOON, moves(till, SALES, Money(1, "EUR")))
    results = post_entries([taken, given, taken])

    assert statuses(results) == ["insufficient_funds", "posted", "posted"]
    assert balance(till) == 0


def test_account_without_a_floor_may_go_negative() -> None:
    account = wallet("a", floor=None)

    post_entry(transfer("t1", account, wallet("b"), 30))

    assert balance(account) == -30


def test_negative_amount_moves_the_other_way() -> None:
    a, b = funded(wallet("a"), 10), funded(wallet("b"), 10)

    post_entry(Entry("back", "test", "r", NOON, moves(a, b, Money(-4, "EUR"))))

    assert (balance(a), balance(b)) == (14, 6)


def test_account_keeps_the_currency_it_was_opened_in() -> None:
    funded(wallet("a"), 10)
    dollars = wallet("a", currency="USD")

    results = post_entries([deposit("usd", dollars, 5), deposit("eur", wallet("a"), 5)])

    assert statuses(results) == ["currency_mismatch", "posted"]
    assert results[0].message == "a is an account in EUR."
    assert balance(wallet("a")) == 15


def test_one_entry_may_balance_in_two_currencies() -> None:
    position_eur = AccountRef("fx:EUR", AccountType.ASSET, "EUR")
    position_usd = AccountRef("fx:USD", AccountType.ASSET, "USD")
    converted = lines(
        moves(position_eur, wallet("e", floor=None), Money(100, "EUR")),
        moves(wallet("d", currency="USD"), position_usd, Money(0, "USD")),
        moves(position_usd, wallet("d", currency="USD"), Money(110, "USD")),
    )

    post_entry(Entry("fx", "conversion", "r", NOON, converted))

    assert (balance(position_eur), balance(position_usd)) == (100, 110)
    assert Posting.objects.count() == 4


def test_largest_amount_is_posted_exactly() -> None:
    post_entries([sale("s1", AMOUNT_MAX), sale("s2", AMOUNT_MAX)])

    assert balance(SALES) == 2 * 10**15


def test_posting_one_entry_raises_its_refusal() -> None:
    with pytest.raises(EntryRefused) as refusal:
        post_entry(transfer("t1", wallet("a"), wallet("b"), 1))

    assert isinstance(refusal.value, Conflict)
    assert refusal.value.code == "insufficient_funds"
    assert not JournalEntry.objects.exists()


def test_debits_and_credits_take_money_of_their_account() -> None:
    entry = Entry(
        "k", "t", "r", NOON, (debit(CASH, Money(3, "EUR")), credit(SALES, Money(3, "EUR")))
    )

    assert post_entry(entry).status == POSTED
