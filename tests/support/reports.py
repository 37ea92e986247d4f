"""Small reports and statements to reconcile with."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from ledger.actors import Actor
from ledger.money import Money
from payments.gateways.simulated_report import COLUMNS
from payments.models import Payment, Refund
from reconciliation.models import Source, StatementFile
from reconciliation.services.imports import import_statement
from reconciliation.services.sources import SourceTerms, define_source
from settlements.rails.simulated_bank import BankAccount, SimulatedBank
from tests.factories import GatewayFactory

ACTOR = Actor.system("tests")
IBAN = "DE02120300000000202051"
DAY = date(2026, 3, 19)


def define_sources() -> tuple[Source, Source]:
    """A processor that reports on the gateway of the factories, and a bank with one EUR account."""
    processor = define_source(
        "sim",
        SourceTerms(
            kind=Source.Kind.PROCESSOR_REPORT,
            formats=("stripe.payout_reconciliation",),
            gateway="sim",
            counterparties=("SIM PAYMENTS",),
            deposit_days=0,
            fx_tolerance_basis_points=50,
        ),
    )
    bank = define_source(
        "bank",
        SourceTerms(
            kind=Source.Kind.BANK_STATEMENT, formats=("camt.053",), accounts=((IBAN, "EUR"),)
        ),
    )
    return processor, bank


@pytest.fixture
def sources(db: None) -> tuple[Source, Source]:
    """A processor and a bank nothing has come from yet."""
    GatewayFactory()
    return define_sources()


@pytest.fixture
def processor(sources: tuple[Source, Source]) -> Source:
    return sources[0]


def charge(subject: Payment | Refund, line_id: str, **changes: Any) -> dict[str, Any]:
    """The row a processor reports for a payment or refund, as it should be, with `changes`."""
    is_payment = isinstance(subject, Payment)
    gross = subject.money if is_payment else -subject.money
    fee = Money(subject.processor_fee_expected or 0, subject.currency)
    row = {
        "balance_transaction_id": line_id,
        "created_utc": f"{subject.effective_at:%Y-%m-%d %H:%M:%S}",
        "available_on_utc": f"{subject.settlement_due_on} 00:00:00",
        "currency": subject.currency.lower(),
        "gross": gross.text,
        "fee": fee.text,
        "reporting_category": "charge" if is_payment else "refund",
        "customer_facing_amount": gross.text,
        "customer_facing_currency": subject.currency.lower(),
        "automatic_payout_id": "po_1",
        "payment_metadata[reference]": subject.reference if is_payment else "",
        "refund_metadata[reference]": "" if is_payment else subject.reference,
        "connected_account": subject.merchant.code,
        **changes,
    }
    if "net" not in row:
        currency = row["currency"].upper()
        row["net"] = (Money.of(row["gross"], currency) - Money.of(row["fee"], currency)).text
    return row


def payout_row(payout_id: str, amount: str, *, day: date = DAY) -> dict[str, Any]:
    """The row with which a processor says that it pays out."""
    return {
        "balance_transaction_id": f"txn_{payout_id}",
        "created_utc": f"{day} 06:00:00",
        "available_on_utc": f"{day} 06:00:00",
        "currency": "eur",
        "gross": f"-{amount}",
        "fee": "0.00",
        "net": f"-{amount}",
        "reporting_category": "payout",
        "automatic_payout_id": payout_id,
    }


def report(*rows: dict[str, Any]) -> bytes:
    """A processor's report with these rows."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def load(source: Source, content: bytes, name: str = "file") -> StatementFile:
    file, _ = import_statement(source, io.BytesIO(content), name=name, actor=ACTOR)
    return file


def bank_of(day: date = DAY, opening: str = "1000.00") -> SimulatedBank:
    """A bank with our EUR account, to book on and to take a camt.053 from."""
    return SimulatedBank([BankAccount(IBAN, "EUR", Money.of(opening, "EUR"))], day)
