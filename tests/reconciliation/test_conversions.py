"""Lines in another currency than our record: the processor converted, and that is posted."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.actors import Actor
from ledger.models import Account, JournalEntry
from ledger.money import Money
from reconciliation.invariants import wrong_conversions
from reconciliation.models import Discrepancy, FxRate, Match, StatementLine
from reconciliation.services.hand_matching import begin_by_hand, match_by_hand
from reconciliation.services.runs import reconcile
from tests.factories import SucceededPaymentFactory
from tests.support.reports import charge, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def paid_in(currency: str):
    return SucceededPaymentFactory(
        merchant__fees={currency: (0, 0)},
        money=Money.of("100.00", currency),
        reference="ORDER-0001",
    )


def test_a_conversion_is_posted_and_the_rate_is_judged(sources):
    payment = paid_in("USD")
    FxRate.objects.create(date=date(2026, 1, 1), base="USD", quote="EUR", rate=Decimal("0.9"))

    load(
        sources[0],
        report(charge(payment, "txn_1", currency="eur", gross="88.00", fee="1.00")),
    )
    reconcile()

    assert Match.objects.get().is_converted
    (found,) = Discrepancy.objects.all()
    assert (found.type, found.reference) == ("fx_rate_deviation", "ORDER-0001")
    balances = {
        account.code: account.balance.money.text
        for account in Account.objects.filter(currency__in=["USD", "EUR"])
    }
    assert balances["clearing:sim:USD"] == "0.00"
    assert balances["fx:position:USD"] == "0.00"
    assert balances["fx:position:EUR"] == "0.00"
    assert balances["expense:fx:EUR"] == "2.00"
    merchant = payment.merchant.code
    assert balances[f"merchant:{merchant}:payable:USD"] == "0.00"
    assert balances[f"merchant:{merchant}:payable:EUR"] == "90.00"


@pytest.mark.parametrize(("currency", "is_converted"), [("USD", True), ("EUR", False)])
def test_match_by_hand_posts_the_conversion_there_was(sources, currency, is_converted):
    payment = paid_in(currency)
    elsewhere = {"payment_metadata[reference]": "on the phone"}
    load(sources[0], report(charge(payment, "txn_1", currency="eur", **elsewhere)))

    match = match_by_hand(
        StatementLine.objects.get(), payment, actor=Actor.system("test"), reason="they told me"
    )

    assert match.is_converted is is_converted
    assert JournalEntry.objects.filter(kind="conversion").exists() is is_converted
    assert wrong_conversions() == []


@pytest.mark.parametrize("is_converted", [True, False])
def test_match_that_is_wrong_about_a_conversion_is_a_breach(sources, is_converted):
    payment = paid_in("EUR" if is_converted else "USD")
    load(sources[0], report(charge(payment, "txn_1", currency="eur")))
    line = StatementLine.objects.get()

    match = Match.objects.create(
        run=begin_by_hand(line),
        kind="payment",
        rule="by_hand",
        rule_version=1,
        evidence={},
        line=line,
        amount=line.net,
        is_converted=is_converted,
        payment=payment,
    )

    (breach,) = wrong_conversions()
    assert breach.subject == match.public_id
