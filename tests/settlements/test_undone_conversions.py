"""What a merchant is owed for a match that was taken apart, if the money was converted."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from ledger.actors import Actor
from ledger.models import Account
from ledger.money import Money
from payments.models import Payment
from reconciliation.errors import ConversionIsSettled
from reconciliation.models import FxRate, Match, StatementLine
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from settlements.services.batches import run_settlement
from tests.factories import GatewayFactory, MerchantFactory, SucceededPaymentFactory
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ANN = Actor("user", "1", "ann@example.com")
WHY = {"reason": "It is another order's.", "actor": ANN}


@pytest.fixture
def payment() -> Payment:
    """100.00 USD of a merchant that is paid in EUR; the report made 90.00 EUR of it."""
    GatewayFactory()
    processor, _ = define_sources()
    merchant = MerchantFactory(code="shop", fees={"USD": (0, 0)})
    made = SucceededPaymentFactory(merchant=merchant, money=Money.of("100.00", "USD"))
    Payment.objects.update(settlement_currency="EUR")
    made.refresh_from_db()
    FxRate.objects.create(date=date(2026, 1, 1), base="USD", quote="EUR", rate=Decimal("0.9"))
    load(processor, report(charge(made, "txn_1", currency="eur", gross="90.00", fee="1.00")))
    reconcile(as_of=made.settlement_due_on)
    return made


def settled(day: date) -> list[tuple[str, int]]:
    return [(batch.currency, batch.payout_amount) for batch in run_settlement(day, actor=ANN)]


def owed() -> dict[str, str]:
    accounts = Account.objects.filter(code__startswith="merchant:shop:payable:")
    return {
        account.currency: account.balance.money.text
        for account in accounts.select_related("balance")
    }


def test_an_undone_conversion_is_not_paid_out(payment: Payment) -> None:
    undo_match(Match.objects.get(), **WHY)

    assert settled(payment.settlement_due_on + timedelta(days=3)) == []
    assert owed() == {"USD": "100.00", "EUR": "0.00"}


def test_a_conversion_that_was_undone_and_made_again_is_paid_out_once(payment: Payment) -> None:
    undo_match(Match.objects.get(), **WHY)
    match_by_hand(StatementLine.objects.get(external_id="txn_1"), payment, **WHY)

    day = payment.settlement_due_on + timedelta(days=3)
    assert settled(day) == [("EUR", 90_00)]
    assert settled(day + timedelta(days=1)) == []
    assert owed() == {"USD": "0.00", "EUR": "0.00"}


def test_a_conversion_that_was_settled_stays(payment: Payment) -> None:
    settled(payment.settlement_due_on + timedelta(days=3))

    with pytest.raises(ConversionIsSettled):
        undo_match(Match.objects.get(), **WHY)

    assert Match.objects.exists()
    assert owed() == {"USD": "0.00", "EUR": "0.00"}
