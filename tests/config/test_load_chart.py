"""The chart of accounts as configuration."""

from pathlib import Path

import pytest

from config.configuration import load_configuration
from config.configuration_tables import ConfigurationInvalid
from ledger.entries import AccountType
from ledger.errors import DomainError
from ledger.models import Account, AccountGroup, AuditEvent
from ledger.services.accounts import AccountTypeMismatch, FloorBroken
from ledger.services.chart import AccountGroupContradicted
from payments.bookkeeping import wallet
from payments.models import Gateway, Merchant
from payments.services.merchants import open_wallet
from tests.factories import AccountFactory
from tests.support.entries import funded

pytestmark = pytest.mark.django_db
EXAMPLE = Path("docs/examples/days.toml").read_text()
CHART = Path("docs/examples/chart.toml").read_text()
PLATFORM_PREFIXES = [
    "bank:",
    "clearing:",
    "deposits:in_transit:",
    "equity:",
    "expense:",
    "fx:position:",
    "income:",
    "merchant:",
    "payouts:due:",
    "payouts:in_transit:",
    "suspense:",
]


def account(code: str, fields: str) -> str:
    return f"[[accounts]]\ncode = '{code}'\n{fields}\n"


def test_platform_groups_are_declared_by_any_file_once() -> None:
    assert load_configuration("") == [
        "account group clearing: created",
        "account group deposits:in_transit: created",
        "account group bank: created",
        "account group fx:position: created",
        "account group merchant: created",
        "account group payouts:due: created",
        "account group payouts:in_transit: created",
        "account group suspense: created",
        "account group equity: created",
        "account group income: created",
        "account group expense: created",
    ]

    assert load_configuration("") == []
    assert [group.prefix for group in AccountGroup.objects.all()] == PLATFORM_PREFIXES


def test_example_chart_opens_accounts_per_currency_and_says_so() -> None:
    load_configuration("")

    changes = load_configuration(CHART)

    assert changes[:5] == [
        "account group receivable: created",
        "account group income:interest: created",
        "account suspense:EUR: created",
        "account suspense:GBP: created",
        "account suspense:USD: created",
    ]
    assert len(changes) == 13
    assert load_configuration(CHART) == []
    types = dict(Account.objects.values_list("code", "type"))
    assert types["suspense:EUR"] == "liability"
    assert types["expense:bank_charges:GBP"] == "expense"
    assert types["receivable:landlord:EUR"] == "asset"
    petty_cash = Account.objects.get(code="bank:petty_cash:EUR")
    assert (petty_cash.name, petty_cash.currency, petty_cash.floor) == ("Petty cash", "EUR", 0)


def test_group_may_be_renamed_and_keeps_its_name_when_other_files_are_loaded() -> None:
    renamed = "[[account_groups]]\nprefix = 'bank:'\ntype = 'asset'\nname = 'Banks'"
    load_configuration("")

    assert load_configuration(renamed) == [
        "account group bank: name 'Our money at banks' → 'Banks'"
    ]

    assert load_configuration("") == []
    assert load_configuration(renamed) == []


def test_group_the_platform_posts_to_cannot_be_of_another_type() -> None:
    text = "[[account_groups]]\nprefix = 'income:'\ntype = 'liability'"

    with pytest.raises(ConfigurationInvalid, match="the platform itself posts to accounts of type"):
        load_configuration(text)

    assert not AccountGroup.objects.exists()


def test_group_against_accounts_there_are_is_refused_and_nothing_is_applied() -> None:
    AccountFactory(code="old:1", type=AccountType.ASSET)
    text = "[[account_groups]]\nprefix = 'old:'\ntype = 'income'"

    with pytest.raises(AccountGroupContradicted, match="old:1 is of type asset"):
        load_configuration("[[gateways]]\ncode = 'first'\n" + text)

    assert not Gateway.objects.exists()
    assert not AccountGroup.objects.exists()


def test_account_against_its_group_is_refused_and_nothing_is_applied() -> None:
    text = account("expense:gifts:EUR", "currency = 'EUR'\ntype = 'asset'")

    with pytest.raises(
        AccountTypeMismatch, match="expense:gifts:EUR is an account of type expense"
    ):
        load_configuration(account("suspense:EUR", "currency = 'EUR'") + text)

    assert not Account.objects.exists()


def test_account_that_is_there_in_another_currency_is_refused() -> None:
    load_configuration(account("expense:gifts", "currency = 'EUR'"))

    with pytest.raises(DomainError, match="already another account"):
        load_configuration(account("expense:gifts", "currency = 'USD'"))


def test_floor_is_changed_if_the_balance_allows_it_and_left_alone_if_not_named() -> None:
    load_configuration("[[merchants]]\ncode = 'shop'")
    merchant = Merchant.objects.get(code="shop")
    funded(wallet(merchant, "savings", "EUR"), 100)
    text = account("savings", "owner = 'shop'\ncurrency = 'EUR'\ntype = 'liability'\n")

    assert load_configuration(text) == []
    assert load_configuration(text + "floor = -500") == ["account savings: floor 0 → -500"]
    with pytest.raises(FloorBroken, match=r"only 1\.00 EUR are available"):
        load_configuration(text + "floor = 101")

    assert Account.objects.get(code="savings").floor == -500
    assert load_configuration(text) == []
    event = AuditEvent.objects.get(action="account.floor_changed")
    assert (event.actor_label, event.after) == ("load_config", {"floor": -500})
    assert open_wallet(merchant, code="savings", currency="EUR", funded=None).floor == -500


def test_account_of_a_merchant_in_the_same_file() -> None:
    owned = account("savings", "owner = 'shop'\ncurrency = 'EUR'\ntype = 'liability'\n")

    changes = load_configuration("[[merchants]]\ncode = 'shop'\n" + owned)

    assert changes[-1] == "account savings: created"
    assert Account.objects.get().owner == Merchant.objects.get(code="shop").public_id


def test_bank_account_of_a_source_may_get_a_name_and_a_floor_too() -> None:
    load_configuration(EXAMPLE)
    code = "bank:DE89370400440532013000:EUR"
    text = account(code, "currency = 'EUR'\nname = 'House bank'\nfloor = 0")

    assert load_configuration(text) == [
        f"account {code}: name '' → 'House bank'",
        f"account {code}: floor None → 0",
    ]

    assert load_configuration(EXAMPLE) == []
