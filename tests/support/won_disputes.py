"""Reports of a dispute's money, taken and given back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger.actors import Actor
from payments.models import Dispute, Payment
from reconciliation.models import Discrepancy
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import SucceededPaymentFactory, eur
from tests.support.books import assert_books_balance
from tests.support.reports import charge

GATEWAY = Actor.system("gateway sim")
WHY: dict[str, Any] = {"reason": "The processor wrote so.", "actor": Actor("user", "1", "ann")}


@pytest.fixture
def payment(processor) -> Payment:
    return SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")


def taken(payment: Payment, name: str = "txn_2", amount: str = "40.00", **changes: Any) -> Any:
    shown = {"gross": f"-{amount}", "customer_facing_amount": f"-{amount}", "fee": "15.00"}
    return charge(payment, name, reporting_category="dispute", **{**shown, **changes})


def given_back(payment: Payment, name: str = "txn_3", amount: str = "40.00", **changes: Any) -> Any:
    shown = {"gross": amount, "customer_facing_amount": amount, "fee": "0.00"}
    return charge(payment, name, reporting_category="dispute_reversal", **{**shown, **changes})


def later(payment: Payment, days: int) -> datetime:
    return payment.effective_at + timedelta(days=days)


def reconciled(payment: Payment) -> None:
    """Long after everything was due; every account ties out."""
    run = reconcile(as_of=payment.settlement_due_on + timedelta(days=30))
    assert [proof.line for proof in tie_outs(run.as_of) if proof.difference] == []
    assert_books_balance()


def opened() -> list[tuple[str, str, str]]:
    rows = Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED)
    return [(row.type, row.reference, row.money.text) for row in rows.order_by("type", "reference")]


def open_items() -> list[tuple[str, str]]:
    return [
        (item.name, item.effect.text)
        for proof in tie_outs(datetime(2099, 1, 1).date())
        for item in proof.open_items
    ]


def states() -> list[str]:
    return list(Dispute.objects.order_by("pk").values_list("status", flat=True))
