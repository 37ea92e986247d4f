"""What stands in the way of a sign-off: money at stake, unexplained differences, bad lines."""

import pytest

from ledger.errors import Invalid
from reconciliation.models import Discrepancy, SourceAccount
from reconciliation.services.sign_offs import (
    SignOffRefused,
    prepare_sign_off,
)
from reconciliation.services.sources import SourceTerms, define_source
from reconciliation.sign_off import unexplained
from tests.support.reports import DAY, load, payout_row, report
from tests.support.sign_offs import MAKER, account, sources

__all__ = ["account", "sources"]
pytestmark = pytest.mark.django_db


def test_unsettled_discrepancy_above_the_materiality_stands_in_the_way(account):
    account.source.options = {"sign_off": {"materiality": {"EUR": "6.99"}}}
    account.source.save()

    with pytest.raises(SignOffRefused) as refused:
        prepare_sign_off(account, DAY, actor=MAKER)

    finding = Discrepancy.objects.get(type="unexplained_bank_line")
    missing = Discrepancy.objects.get(type="deposit_missing")
    assert [text.split(" ")[0] for text in refused.value.obstacles] == [
        each.public_id for each in sorted([finding, missing], key=lambda each: each.pk)
    ]
    assert "-7.00 EUR, and up to 6.99 may be open" in str(refused.value)

    account.source.options = {"sign_off": {"materiality": {"EUR": "10.00"}}}
    account.source.save()
    assert prepare_sign_off(account, DAY, actor=MAKER).status == "PREPARED"


@pytest.mark.parametrize(
    "options",
    [
        {"materiality": {"EUR": 100}},
        {"materiality": {"EUR": "-1.00"}},
        {"materiality": {"EUR": "1.001"}},
        {"materiality": {"XXX": "1.00"}},
        {"materiality": "1.00"},
        {"threshold": {}},
    ],
)
def test_materiality_that_makes_no_sense_is_refused(options):
    terms = SourceTerms(kind="bank_statement", formats=("camt.053",), options={"sign_off": options})
    with pytest.raises(Invalid):
        define_source("bank", terms)


@pytest.mark.parametrize("difference", ["-0.01", "0.10", "100.00"])
def test_difference_that_nothing_explains_stands_in_the_way(difference):
    assert unexplained(difference, "EUR") == [f"{difference} EUR is not explained"]
    assert unexplained("0.00", "EUR") == unexplained("0", "JPY") == []


def test_bad_line_in_quarantine_stands_in_the_way(sources):
    lines = report(payout_row("po_000009", "1.00")).replace(b"-1.00", b"one euro")
    file = load(sources[0], lines, name="bad")
    account = SourceAccount.objects.get(source=sources[0])

    with pytest.raises(SignOffRefused, match=f"{file.public_id} .* has lines in quarantine: 2"):
        prepare_sign_off(account, DAY, actor=MAKER)
