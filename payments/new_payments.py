"""Payments that are about to be written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.money import Money
from payments.models import Merchant, Payment


@dataclass(slots=True)
class NewPayment:
    """A payment before it is written: what a Payment shows, at a tenth of the cost of a model."""

    public_id: str
    merchant: Merchant
    idempotency_key: str
    reference: str
    money: Money
    capture: str
    source: str
    description: str
    metadata: dict[str, Any]
    created_by: str
    created_at: datetime

    status: ClassVar[str] = Payment.Status.PENDING.value
    amount_refunded: ClassVar[int] = 0
    failure_code: ClassVar[str] = ""
    failure_reason: ClassVar[str] = ""
    authorized_until: ClassVar[datetime | None] = None

    @property
    def currency(self) -> str:
        return self.money.currency

    @property
    def captured_money(self) -> Money:
        return Money(0, self.money.currency)

    @property
    def fee_money(self) -> Money:
        return Money(0, self.money.currency)

    @property
    def updated_at(self) -> datetime:
        return self.created_at

    def as_model(self) -> Payment:
        """Not saved yet, and without a gateway."""
        return Payment(
            public_id=self.public_id,
            merchant=self.merchant,
            idempotency_key=self.idempotency_key,
            reference=self.reference,
            amount=self.money.amount,
            currency=self.currency,
            settlement_currency=self.currency,
            capture=self.capture,
            source=self.source,
            description=self.description,
            metadata=self.metadata,
            created_by=self.created_by,
            created_at=self.created_at,
            updated_at=self.created_at,
            due_at=self.created_at,
        )
