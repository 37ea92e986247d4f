"""Accounts are opened when they are first named, once, and stay what they are."""

from dataclasses import replace

import pytest

from ledger.entries import AccountRef, Direction
from ledger.models import Account
from ledger.money import Money
from ledger.services.accounts import AccountExists, open_account
from ledger.services.posting import post_entry
from tests.support.entries import balance, deposit, funded, wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_account_is_opened_by_the_first_entry_that_names_it() -> None:
    post_entry(deposit("d1", wallet("a"), 5))

    account = Account.objects.get(code="a")
    assert account.public_id.startswith("acct_")
    assert account.ref == wallet("a")
    assert account.normal_side == Direction.CREDIT


def test_opening_an_account_again_gives_the_same_one() -> None:
    first = open_account(wallet("a"), name="Savings")

    again = open_account(wallet("a"))

    assert again == first
    assert again.name == "Savings"
    assert again.balance.money == Money(0, "EUR")


@pytest.mark.parametrize(
    "other",
    [wallet("a", currency="USD"), wallet("a", floor=None), replace(wallet("a"), type="asset")],
    ids=["currency", "floor", "type"],
)
def test_code_of_another_account_cannot_be_opened(other: AccountRef) -> None:
    open_account(wallet("a"))

    with pytest.raises(AccountExists) as refusal:
        open_account(other)

    assert refusal.value.code == "account_exists"
    assert Account.objects.count() == 1


def test_same_code_of_another_owner_is_another_account() -> None:
    funded(wallet("a"), 10)

    funded(replace(wallet("a"), owner="mer_2"), 3)

    assert balance(wallet("a")) == 10
    assert balance(replace(wallet("a"), owner="mer_2")) == 3
