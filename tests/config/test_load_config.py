"""Configuration as code: applied as often as one likes, refused by field."""

from pathlib import Path

import pytest

from config.configuration import ConfigurationInvalid, load_configuration
from ledger.errors import DomainError
from ledger.models import Account
from payments.models import FeePlan, Gateway
from reconciliation.models import Source

pytestmark = pytest.mark.django_db

EXAMPLE = Path("docs/examples/days.toml").read_text()


def test_the_example_creates_what_it_says_and_says_so():
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


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[gateways]]\nname = 'x'", "code is missing"),
        ("[[gateways]]\ncode = 'x'\nfee = 1", "'fee' is unknown"),
        ("[[gateways]]\ncode = 1", "code must be a str"),
        ("[[gateways]]\ncode = 'x'\nadapter = 'stripe'", "no adapter"),
        ("[[gateway]]\ncode = 'x'", "Unknown tables: gateway"),
        ("gateways = [", "not TOML"),
        ("[[merchants]]\ncode = 'x'\ntime_zone = 'Mars'", "no IANA time zone"),
        ("[[sources]]\ncode = 'x'\nkind = 'bank_statement'\nformats = ['pdf']", "no format"),
        ("[[sources]]\ncode = 'x'\nkind = 'carrier_pigeon'\nformats = []", "kind"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_applied(text, named):
    with pytest.raises(DomainError, match=named):
        load_configuration("[[gateways]]\ncode = 'first'\n" + text if "[[gateway" in text else text)

    assert not Gateway.objects.exists()
    assert not Source.objects.exists()


def test_prices_of_the_past_are_not_changed():
    plan = "[[merchants]]\ncode = 'x'\n[[merchants.fee_plans]]\ncurrency = 'EUR'\n"
    load_configuration(plan + "basis_points = 100\nvalid_from = 2026-01-01")

    with pytest.raises(DomainError, match="add one with a later date"):
        load_configuration(plan + "basis_points = 200\nvalid_from = 2026-01-01")
    load_configuration(plan + "basis_points = 200\nvalid_from = 2026-02-01")

    assert FeePlan.objects.count() == 2
    assert ConfigurationInvalid.code == "configuration_invalid"
