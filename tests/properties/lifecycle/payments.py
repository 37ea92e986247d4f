"""Payments succeed, are refunded and disputed, by their own rules of bookkeeping."""

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.money import Money
from payments.bookkeeping import entry_for_dispute_opened, entry_for_payment, entry_for_refund
from payments.services.disputes import DisputeNotice, record_disputes
from tests.factories import SucceededPaymentFactory, SucceededRefundFactory
from tests.properties.lifecycle.strategies import moments, some
from tests.properties.lifecycle.two_ledgers import TwoLedgers


class PaymentRules(TwoLedgers):
    @rule(amount=st.integers(1_00, 90_00))
    def pay(self, amount: int) -> None:
        payment = SucceededPaymentFactory(
            merchant=self.merchant, idempotency_key=self.key(), money=Money(amount, "EUR")
        )
        self.payments.append(payment)
        assert self.slow.post(entry_for_payment(payment, payment.effective_at)) == "posted"

    @precondition(lambda self: self.payments)
    @rule(pick=some, amount=st.integers(1, 50_00))
    def refund(self, pick: int, amount: int) -> None:
        payment = self.payments[pick % len(self.payments)]
        payment.refresh_from_db()
        if amount > payment.refundable.amount:
            return
        refund = SucceededRefundFactory(
            payment=payment, idempotency_key=self.key(), money=Money(amount, "EUR")
        )
        assert self.slow.post(entry_for_refund(refund, refund.effective_at)) == "posted"

    @precondition(lambda self: self.payments)
    @rule(pick=some, moment=moments)
    def dispute(self, pick: int, moment: datetime) -> None:
        """Back-dated, and moved on if that is too late. The same notice again is the same."""
        payment = self.payments[pick % len(self.payments)]
        notice = DisputeNotice(payment, f"case-{payment.pk}", payment.money, moment)
        (dispute,) = record_disputes([notice])
        self.post([entry_for_dispute_opened(dispute)])
