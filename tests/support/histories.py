"""Files of payments that another system took."""

import io
from typing import Any

import pytest

from ledger.models import JournalEntry
from payments.models import Merchant, Payment, Refund
from payments.services.imports import ImportCounts, import_payments
from tests.factories import ACTOR, GatewayFactory

COLUMNS = (
    "payment_id,merchant,type,amount,currency,reference,created_at,psp,expected_fee,fee_currency,"
    "settlement_currency,expected_settlement_date,parent_reference,status"
)
PAID = "P1,M1,payment,100.00,EUR,M1-A,2026-03-02T10:00:00Z,spay,1.65,EUR,EUR,2026-03-04,,captured"
YEN = "P2,M2,payment,5000,JPY,M2-A,2026-03-02T11:00:00Z,spay,,,EUR,2026-03-04,,captured"
OLD = "H1,M1,payment,70.00,EUR,M1-0,2026-01-02T10:00:00Z,spay,,EUR,EUR,,,settled"
BACK = "R1,M1,refund,30.00,EUR,M1-R,2026-03-03T10:00:00Z,spay,0.00,EUR,EUR,2026-03-05,M1-A,captured"


@pytest.fixture
def spay(db: None) -> None:
    GatewayFactory(code="spay", adapter="none")


def load(*rows: str, columns: str = COLUMNS, **options: Any) -> dict[str, ImportCounts]:
    file = io.StringIO("\n".join([columns, *rows]) + "\n")
    return import_payments(file, actor=ACTOR, **options)


def nothing_is_loaded() -> bool:
    return not any(model.objects.exists() for model in (Payment, Refund, Merchant, JournalEntry))
