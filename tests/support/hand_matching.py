"""Lines and records that a person matches, and what is checked after each test."""

from datetime import date

import pytest

from ledger.actors import Actor
from payments.models import Payment
from reconciliation.models import (
    Discrepancy,
    StatementLine,
)
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import (
    SucceededPaymentFactory,
    eur,
)
from tests.support.books import assert_books_balance
from tests.support.reports import charge, load, report

ANN = Actor("user", "1", "ann@example.com")
BOB = Actor("user", "2", "bob@example.com")
LATER = date(2035, 1, 1)
WHY = {"reason": "The processor wrote so.", "actor": ANN}
STRANGER = {"payment_metadata[reference]": "PHONE-ORDER-77"}


@pytest.fixture(autouse=True)
def all_ties_out(db: None):
    yield
    assert not any(proof.difference for proof in tie_outs(LATER))
    assert_books_balance()


def opened() -> list[tuple[str, str]]:
    return sorted(Discrepancy.objects.filter(status="OPEN").values_list("type", "reference"))


def line(name: str) -> StatementLine:
    return StatementLine.objects.get(external_id=name)


@pytest.fixture
def stranger(sources) -> Payment:
    """A payment whose line carries a reference that nobody knows."""
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1", **STRANGER)))
    reconcile(as_of=payment.settlement_due_on)
    assert opened() == [("missing_settlement", "ORDER-0001"), ("orphan_line", "txn_1")]
    return payment
