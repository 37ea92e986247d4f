"""LED-08: the largest amounts there are, and totals that no longer fit into 63 bits."""

from datetime import UTC, datetime

import pytest

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType, Direction, Entry, Line, credit, debit, moves
from ledger.errors import Invalid
from ledger.models import Account
from ledger.money import AMOUNT_MAX, Money
from ledger.selectors import balances_of, trial_balance, trial_balance_accounts
from ledger.services.periods import close_period, open_period
from ledger.services.posting import post_entries, post_entry
from ledger.services.reversals import reverse_entry
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.entries import CASH, balance, deposit, funded, transfer, wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

BIGINT_MAX = 2**63 - 1
ACTOR = Actor.system("test")
MOMENT = datetime(2025, 1, 15, 12, tzinfo=UTC)
TURNS, ACCOUNTS = 930, 10
TOTAL = TURNS * ACCOUNTS * AMOUNT_MAX


def test_led_08_largest_amount_goes_and_comes_back() -> None:
    assert AMOUNT_MAX == 10**15
    source, target = funded(wallet("a"), AMOUNT_MAX), wallet("b")

    refused, posted = post_entries(
        [
            Entry(
                "both",
                "transfer",
                "ref",
                MOMENT,
                moves(source, target, Money(AMOUNT_MAX, "EUR"))
                + moves(source, target, Money(1, "EUR")),
            ),
            transfer("all", source, target, AMOUNT_MAX),
        ]
    )

    assert (refused.code, posted.status) == ("insufficient_funds", "posted")
    assert (balance(source), balance(target)) == (0, AMOUNT_MAX)
    reverse_entry(posted.public_id, reason="wrong", actor=ACTOR)
    assert (balance(source), balance(target)) == (AMOUNT_MAX, 0)


def test_led_08_largest_amount_below_zero() -> None:
    deep = wallet("deep", floor=-AMOUNT_MAX)

    results = post_entries(
        [transfer("t1", deep, wallet("b"), AMOUNT_MAX), transfer("t2", deep, wallet("b"), 1)]
    )

    assert [result.code or result.status for result in results] == ["posted", "insufficient_funds"]
    assert balance(deep) == -AMOUNT_MAX


@pytest.mark.parametrize("amount", [AMOUNT_MAX + 1, -AMOUNT_MAX - 1, 2**63, 10**30])
def test_led_08_more_than_the_largest_amount_is_refused(amount: int) -> None:
    with pytest.raises(Invalid):
        deposit("d1", wallet("a"), amount)
    with pytest.raises(Invalid):
        Entry(
            "d1",
            "deposit",
            "ref",
            MOMENT,
            (
                Line(CASH, Direction.DEBIT, amount),
                Line(wallet("a"), Direction.CREDIT, amount),
            ),
        )

    assert not Account.objects.exists()


def test_led_08_entry_of_many_largest_lines() -> None:
    """One line against a thousand others, whose sum is far above the amount of any."""
    money = Money(AMOUNT_MAX, "EUR")
    many = [debit(AccountRef(f"cash:{n}", AccountType.ASSET, "EUR"), money) for n in range(1_000)]
    lines = (*many, *[credit(wallet("a"), money)] * 1_000)

    post_entry(Entry("e1", "test", "ref", MOMENT, lines))

    assert balance(wallet("a")) == 1_000 * AMOUNT_MAX
    assert verify_ledger(is_full=True) == []


def test_led_08_totals_beyond_63_bits() -> None:
    assert TOTAL > BIGINT_MAX
    wallets = [wallet(f"w{n}") for n in range(ACCOUNTS)]
    banks = [AccountRef(f"bank:{n}", AccountType.ASSET, "EUR") for n in range(ACCOUNTS)]
    money = Money(AMOUNT_MAX, "EUR")
    entries = [  # few of many lines: what is large here are the sums
        Entry(f"{n}", "deposit", "ref", MOMENT, moves(banks[n], wallets[n], money) * TURNS)
        for n in range(ACCOUNTS)
    ]
    assert {result.status for result in post_entries(entries)} == {"posted"}
    seal_entries()

    for moments in ({}, {"as_of": MOMENT}, {"known_at": datetime.now(UTC)}):
        (row,) = trial_balance(**moments)
        assert (row.debits.amount, row.credits.amount) == (TOTAL, TOTAL)
    assert {row.debits.amount for row in trial_balance_accounts()} == {0, TOTAL // ACCOUNTS}
    assert {money.amount for money in balances_of(Account.objects.all()).values()} == {
        TOTAL // ACCOUNTS
    }
    assert verify_ledger(is_full=True) == []
    open_period(
        "2025-01",
        starts_at=datetime(2025, 1, 1, tzinfo=UTC),
        ends_at=datetime(2025, 2, 1, tzinfo=UTC),
        actor=ACTOR,
    )
    pack = close_period("2025-01", actor=ACTOR).close_pack
    assert pack["trial_balance"][0]["debits"] == "93000000000000000.00"
