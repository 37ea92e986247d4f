"""Configuration as code: applied as often as one likes, refused by field."""

from pathlib import Path

import pytest

from config.configuration import load_configuration
from config.configuration_tables import TABLES, ConfigurationInvalid
from ledger.entries import AccountType
from ledger.errors import DomainError, Invalid
from ledger.models import Account, AccountGroup, AuditEvent
from ledger.services.accounts import AccountTypeMismatch, FloorBroken
from ledger.services.chart import AccountGroupContradicted
from payments.bookkeeping import wallet
from payments.models import FeePlan, Gateway, Merchant
from payments.services.gateways import gateway_for
from payments.services.merchants import open_wallet
from reconciliation.importers.csv_mapping import COLUMNS, KEYS, LABELS, LISTS_OF_COLUMNS
from reconciliation.models import Source
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


def test_the_example_creates_what_it_says_and_says_so():
    load_configuration("")

    changes = load_configuration(EXAMPLE)

    assert changes == [
        "gateway spay: created",
        "gateway adyn: created",
        "source spay: created",
        "source adyn: created",
        "source bank: created",
    ]
    assert Source.objects.get(code="bank").accounts.count() == 3
    assert Account.objects.filter(code__startswith="bank:").count() == 3


def test_applying_it_again_changes_nothing_and_a_change_is_named():
    load_configuration(EXAMPLE)

    assert load_configuration(EXAMPLE) == []
    changed = EXAMPLE.replace("settlement_days = 1", "settlement_days = 3")
    assert load_configuration(changed) == ["gateway adyn: settlement_days 1 → 3"]
    assert Gateway.objects.get(code="adyn").settlement_days == 3


def test_csv_mapping_is_kept_with_its_source_and_its_changes_are_named() -> None:
    load_configuration(EXAMPLE)
    mapping = Source.objects.get(code="bank").options["csv"]

    assert mapping["columns"]["amount"] == "Betrag"
    changed = EXAMPLE.replace('thousands = "."', 'order = "newest_first"')
    assert load_configuration(changed) == [
        "source bank: csv.thousands '.' → None",
        "source bank: csv.order None → 'newest_first'",
    ]
    assert load_configuration(changed) == []


def test_every_key_of_a_csv_mapping_is_documented() -> None:
    page = Path("docs/configuration.md").read_text()

    keys = [*KEYS, *COLUMNS, *LISTS_OF_COLUMNS, *LABELS]
    assert [key for key in keys if f"`{key}`" not in page and f"csv.{key}]`" not in page] == []


def test_documented_csv_mapping_is_one() -> None:
    page = Path("docs/configuration.md").read_text()
    _, _, rest = page.partition("```toml\n")

    changes = load_configuration(rest.partition("```")[0])

    assert changes[-1] == "source savings: created"


def test_merchant_is_given_a_gateway_that_takes_payments() -> None:
    gateways = "".join(
        f"[[gateways]]\ncode = '{code}'\nadapter = '{adapter}'\n"
        for code, adapter in [("first", "simulator"), ("second", "stripe"), ("paper", "none")]
    )
    load_configuration(f"{gateways}[[merchants]]\ncode = 'shop'\ngateway = 'second'")
    shop = Merchant.objects.get(code="shop")
    assert gateway_for(shop).code == "second"

    with pytest.raises(Invalid, match="no gateway 'paper' takes payments"):
        load_configuration("[[merchants]]\ncode = 'shop'\ngateway = 'paper'")

    load_configuration("[[merchants]]\ncode = 'shop'")
    shop.refresh_from_db()
    assert gateway_for(shop).code == "first"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[gateways]]\nname = 'x'", "code is missing"),
        ("[[gateways]]\ncode = 'x'\nfee = 1", "'fee' is unknown"),
        ("[[gateways]]\ncode = 1", "code must be a str"),
        ("[[gateways]]\ncode = 'x'\nadapter = 'paypal'", "no adapter"),
        ("[[gateway]]\ncode = 'x'", "Unknown tables: gateway"),
        ("gateways = [", "not TOML"),
        ("[[merchants]]\ncode = 'x'\ntime_zone = 'Mars'", "no IANA time zone"),
        ("[[merchants]]\ncode = 'x'\ngateway = 'y'", "no gateway 'y' takes payments"),
        ("[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = ['pdf']", "no format"),
        ("[[sources]]\ncode = 'x'\nkind = 'carrier_pigeon'\nformats = []", "kind"),
        ("[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = [1]", "formats must be text"),
        (
            "[[sources]]\ncode = 'x'\nkind = 'y'\nformats = []\naccounts = [1]",
            "sources.accounts needs",
        ),
        (
            "[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = ['csv']",
            "Source x: csv is among its formats and has no mapping",
        ),
        (
            "[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = []\ncsv = {}",
            "Source x: csv has options and is not among its formats",
        ),
        (
            "[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = ['csv']\n"
            "csv = { date_format = 'YYYY', columns = {} }",
            r"Source x: csv.date_format 'YYYY': a date needs",
        ),
        ("[[sources]]\ncode = 'x'\nkind = 'y'\nformats = []\ncsv = 1", "csv must be a dict"),
        (
            "[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = ['csv']\n"
            "csv = { date_format = 'YYYY-MM-DD', currency = 'EUR',"
            " columns = { booked_on = 1, amount = 2 } }",
            "Source x: csv.account is missing",
        ),
        (
            "[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = []\non_bad_line = 'skip'",
            "on_bad_line 'skip' is none of atomic, quarantine",
        ),
        (
            "[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = ['mt940']\n"
            "options = { mt940 = { year = '2026' } }",
            "Source x: mt940.year is not one; it takes no options",
        ),
        (
            "[[sources]]\ncode = 'x'\nkind = 'y'\nformats = []\noptions = { csv = {} }",
            "sources x: options.csv is no such table",
        ),
        ("accounts = 1", r"accounts needs \[\[accounts\]\]"),
        ("[accounts]\ncode = 'x'", r"accounts needs \[\[accounts\]\]"),
        ('[[merchants]]\ncode = "x"\nname = "a\\u0000"', "name must be text on one line"),
        ("[[account_groups]]\nprefix = 'x:'", "account_groups x:: type is missing"),
        ("[[account_groups]]\nprefix = 'x:'\ntype = 'debt'", "'debt' is none of asset, liability"),
        ("[[account_groups]]\nprefix = 'x'\ntype = 'asset'", "no prefix"),
        ("[[account_groups]]\nprefix = 'x:'\ntype = 'asset'\nfloor = 1", "'floor' is unknown"),
        ("[[accounts]]\ncurrency = 'EUR'", "code is missing"),
        ("[[accounts]]\ncode = 'x'\ntype = 'asset'", "accounts x: needs either currency or"),
        ("[[accounts]]\ncode = 'x'\ntype = 'asset'\ncurrencies = []", "needs either currency or"),
        (
            "[[accounts]]\ncode = 'x'\ntype = 'asset'\ncurrency = 'EUR'\ncurrencies = ['EUR']",
            "needs either currency or",
        ),
        ("[[accounts]]\ncode = 'x'\ncurrency = 'EUR'", "no account group says it"),
        ("[[accounts]]\ncode = 'x'\ntype = 'asset'\ncurrency = 'XYZ'", "not an ISO 4217"),
        (
            "[[accounts]]\ncode = 'x'\ntype = 'asset'\ncurrency = 'EUR'\nfloor = '0'",
            "must be a int",
        ),
        (
            "[[accounts]]\ncode = 'x'\ntype = 'asset'\ncurrency = 'EUR'\nowner = 'z'",
            "no merchant 'z'",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_applied(text, named):
    with pytest.raises(DomainError, match=named):
        load_configuration("[[gateways]]\ncode = 'first'\n" + text if "[[gateway" in text else text)

    assert not Gateway.objects.exists()
    assert not Source.objects.exists()
    assert not Account.objects.exists()
    assert not AccountGroup.objects.exists()


def test_every_table_and_field_is_documented() -> None:
    page = Path("docs/configuration.md").read_text()

    missing = [
        f"{table}.{field}"
        for table, fields in TABLES.items()
        for field in fields
        if f"`[[{table}]]`" not in page
        or (f"`{field}`" not in page and f"`[[{table}.{field}]]`" not in page)
    ]

    assert missing == []


def test_prices_of_the_past_are_not_changed():
    plan = "[[merchants]]\ncode = 'x'\n[[merchants.fee_plans]]\ncurrency = 'EUR'\n"
    load_configuration(plan + "basis_points = 100\nvalid_from = 2026-01-01")

    with pytest.raises(DomainError, match="add one with a later date"):
        load_configuration(plan + "basis_points = 200\nvalid_from = 2026-01-01")
    load_configuration(plan + "basis_points = 200\nvalid_from = 2026-02-01")

    assert FeePlan.objects.count() == 2
    assert ConfigurationInvalid.code == "configuration_invalid"


# --- The chart of accounts -----------------------------------------------------------------------


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
