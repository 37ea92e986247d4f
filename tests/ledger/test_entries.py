"""An entry that does not balance cannot even be written down."""

from datetime import UTC, datetime

import pytest

from ledger.entries import AccountRef, AccountType, Direction, Entry, Line, credit, debit, moves
from ledger.errors import Invalid, UnbalancedEntry
from ledger.money import AMOUNT_MAX, Money

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASH = AccountRef("cash", AccountType.ASSET, "EUR")
SALES = AccountRef("sales", AccountType.INCOME, "EUR")
DOLLARS = AccountRef("dollars", AccountType.ASSET, "USD")


def entry(*lines: Line) -> Entry:
    return Entry("k", "test", "r", NOW, lines)


def euro(amount: int) -> Money:
    return Money(amount, "EUR")


def test_debits_must_equal_credits() -> None:
    with pytest.raises(UnbalancedEntry) as refusal:
        entry(debit(CASH, euro(100)), credit(SALES, euro(99)))

    assert refusal.value.code == "unbalanced_entry"
    assert str(refusal.value) == ("Entry k does not balance: debits minus credits are 1 EUR.")


def test_each_currency_balances_by_itself() -> None:
    with pytest.raises(UnbalancedEntry):
        entry(debit(DOLLARS, Money(100, "USD")), credit(SALES, euro(100)))


@pytest.mark.parametrize("lines", [(), (debit(CASH, euro(1)),), (debit(CASH, euro(0)),)])
def test_fewer_than_two_lines_are_no_entry(lines: tuple[Line, ...]) -> None:
    with pytest.raises(UnbalancedEntry):
        entry(*lines)


def test_lines_of_zero_are_left_out() -> None:
    made = entry(
        debit(CASH, euro(5)), credit(SALES, euro(5)), debit(CASH, euro(0)), credit(SALES, euro(0))
    )

    assert made.lines == (debit(CASH, euro(5)), credit(SALES, euro(5)))


def test_entry_of_zeros_only_is_refused() -> None:
    with pytest.raises(UnbalancedEntry):
        entry(debit(CASH, euro(0)), credit(SALES, euro(0)))


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1])
def test_amounts_of_lines_are_positive_and_bounded(amount: int) -> None:
    with pytest.raises(Invalid, match="no amount to post"):
        entry(debit(CASH, euro(amount)), credit(SALES, euro(amount)))


def test_line_has_the_currency_of_its_account() -> None:
    with pytest.raises(Invalid, match="an account in EUR"):
        debit(CASH, Money(1, "USD"))


def test_moment_without_a_zone_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Entry("k", "test", "r", NOW.replace(tzinfo=None), moves(CASH, SALES, euro(1)))


def test_moves_debits_the_first_account() -> None:
    assert moves(CASH, SALES, euro(7)) == (
        Line(CASH, Direction.DEBIT, 7),
        Line(SALES, Direction.CREDIT, 7),
    )


def test_moves_of_a_negative_amount_go_the_other_way_round() -> None:
    assert moves(CASH, SALES, euro(-7)) == (
        Line(SALES, Direction.DEBIT, 7),
        Line(CASH, Direction.CREDIT, 7),
    )


def test_debits_count_positive_and_credits_negative() -> None:
    assert [line.signed_amount for line in moves(CASH, SALES, euro(7))] == [7, -7]
