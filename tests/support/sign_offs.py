"""An account whose day is ready, and people to sign it off."""

import pytest

from ledger.actors import Actor
from reconciliation.models import SourceAccount
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, eur
from tests.support.reports import DAY, bank_of, define_sources, load, payout_row, report

MAKER = Actor("user", "1", "maker@example.com")
CHECKER = Actor("user", "2", "checker@example.com")


@pytest.fixture
def sources():
    """Two payouts, one of them arrived; a bank line nobody knows; reconciled."""
    GatewayFactory()
    processor, bank = define_sources()
    load(processor, report(payout_row("po_000001", "98.35"), payout_row("po_000002", "10.00")))
    simulated = bank_of()
    simulated.book(eur("98.35"), counterparty="SIM PAYMENTS", text="PAYOUT po_000001")
    simulated.book(eur("-7.00"), counterparty="SOMEBODY", text="Charges")
    load(bank, simulated.statement())
    reconcile(as_of=DAY)
    return processor, bank


@pytest.fixture
def account(sources) -> SourceAccount:
    return SourceAccount.objects.select_related("source").get(source=sources[1])
