"""`load_config`: merchants, gateways, sources and prices from one file."""

from pathlib import Path

import pytest

from config.configuration import load_configuration
from config.configuration_tables import TABLES, ConfigurationInvalid
from ledger.errors import DomainError, Invalid
from ledger.models import Account, AccountGroup
from payments.models import FeePlan, Gateway, Merchant
from payments.services.gateways import gateway_for
from reconciliation.importers.csv_mapping import COLUMNS, KEYS, LABELS, LISTS_OF_COLUMNS
from reconciliation.models import Source

pytestmark = pytest.mark.django_db
EXAMPLE = Path("docs/examples/days.toml").read_text()


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
