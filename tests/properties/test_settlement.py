"""Whatever merchants, payers, banks and finance staff do, in whatever order: no cent is lost.

A plain model is told the same events. After every step, per currency, what merchants earned less
our fees is payable, in reserve, due, in transit or paid, and what is payable to each is what its
newest batch carries on plus what is in no batch yet. `SETTLEMENT_EXAMPLES` makes it longer.
"""

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.models import Account
from ledger.money import Money
from ledger.services.posting import post_all
from payments.models import Merchant, Payment
from payments.services.disputes import win_dispute
from payments.services.merchants import set_fee_plan
from reconciliation.bookkeeping import (
    entry_for_conversion,
    entry_for_merchant_conversion,
    entry_for_payout_paid,
)
from settlements.bookkeeping import bank
from settlements.invariants import illegal_settlements
from settlements.models import Payout, Settlement, SettlementBatch
from settlements.services.adjustments import approve_adjustment, request_adjustment
from settlements.services.batches import run_settlement
from settlements.services.payout_files import hand_over_payout_file
from settlements.services.payouts import (
    PayoutReturn,
    Refusal,
    approve_payouts,
    cancel_payout,
    mark_paid,
    mark_rejected,
    mark_returned,
)
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import (
    ALWAYS,
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
)
from tests.support.books import assert_books_balance
from tests.support.chores import Clock
from tests.support.payouts import CHECKER, MAKER, bank_account, file_of
from tests.support.reports import IBAN

EXAMPLES = int(os.environ.get("SETTLEMENT_EXAMPLES", "12"))
STEPS_PER_EXAMPLE = 40
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
OUR_BANK = bank(IBAN, "EUR")

amounts = st.integers(1, 400_00)
some = st.integers(0, 10**6)  # picks one of what there is by then


@dataclass
class Item:
    """Something that belongs into one batch: of whom, which line, and what it comes to.

    `amount` and `fee` are in the payer's currency; `converted` is what it is in euro, once it is.
    """

    merchant: Merchant
    line: str
    subject: Any
    amount: int
    fee: int
    currency: str = "EUR"
    converted: int | None = None

    @property
    def is_settled(self) -> bool:
        return Settlement.objects.filter(**{self.line: self.subject}).exists()


class Settling(RuleBasedStateMachine):
    """Two merchants: one settled by default terms, one by all terms there are."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.clock = Clock(self.patch, MONDAY)
        self.transaction = transaction.atomic()
        self.transaction._from_testcase = True
        self.transaction.__enter__()
        self.items: list[Item] = []
        self.number = 0

    def teardown(self) -> None:
        try:
            assert_books_balance()
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.patch.undo()

    @initialize()
    def begin(self) -> None:
        plain, special = MerchantFactory(code="plain"), MerchantFactory(code="special", fees={})
        for currency, policy in (("EUR", "proportional"), ("USD", "full")):
            set_fee_plan(
                special,
                currency=currency,
                basis_points=175,
                minimum=10,
                maximum=3_00,
                refund_policy=policy,
                dispute_fee=15_00,
                valid_from=ALWAYS,
            )
        terms = ScheduleTerms(
            zone="Europe/Berlin",
            holidays="DE",
            delay_days=1,
            minimum_payouts={"EUR": 25_00},
            reserve_basis_points=1_000,
            reserve_days=3,
        )
        set_schedule(special, terms, valid_from=ALWAYS, actor=MAKER)
        self.merchants = [plain, special]
        for merchant in self.merchants:
            bank_account(merchant)

    # What payers do.

    @rule(pick=st.booleans(), amount=amounts, currency=st.sampled_from(["EUR", "EUR", "USD"]))
    def pay(self, pick: bool, amount: int, currency: str) -> None:
        merchant = self.merchants[pick]
        payment = SucceededPaymentFactory(merchant=merchant, money=Money(amount, currency))
        Payment.objects.filter(pk=payment.pk).update(settlement_currency="EUR")
        payment.refresh_from_db()
        if pick:
            fee = min(max((2 * amount * 175 + 10_000) // 20_000, 10), 3_00, amount)
        elif currency == "EUR":
            fee = min((2 * amount * 290 + 10_000) // 20_000 + 30, amount)
        else:
            fee = 0
        self.items.append(Item(merchant, "payment", payment, amount, fee, currency))

    @rule(pick=st.booleans(), amount=amounts)
    def fail_to_pay(self, pick: bool, amount: int) -> None:
        merchant, money = self.merchants[pick], Money(amount, "EUR")
        PaymentFactory(merchant=merchant, money=money, source="tok_declined")

    @precondition(lambda self: self.of("payment"))
    @rule(pick=some, part=st.integers(1, 3))
    def refund(self, pick: int, part: int) -> None:
        item = self.one_of("payment", pick)
        payment = Payment.objects.get(pk=item.subject.pk)
        left = payment.refundable.amount
        if not left:
            return
        money = Money(-(-left // part), payment.currency)
        refund = SucceededRefundFactory(payment=payment, money=money)
        refunded = item.amount - left + money.amount
        before = sum(each.fee for each in self.of("refund") if each.subject.payment == payment)
        total = 0
        if item.merchant.code == "special" and item.currency == "EUR":
            total = (2 * item.fee * refunded + item.amount) // (2 * item.amount)
        elif item.merchant.code == "special" and refunded == item.amount:
            total = item.fee
        fee = -total - before
        self.items.append(
            Item(item.merchant, "refund", refund, -money.amount, fee, payment.currency)
        )

    @precondition(lambda self: self.of("payment"))
    @rule(pick=some)
    def dispute(self, pick: int) -> None:
        item = self.one_of("payment", pick)
        if item.subject.disputes.exists():
            return
        dispute = DisputeFactory(
            payment=item.subject,
            money=Money(-(-item.amount // 2), item.currency),
            effective_at=self.clock.now,
        )
        fee = 15_00 if item.merchant.code == "special" else 0
        self.items.append(
            Item(item.merchant, "dispute", dispute, -dispute.amount, fee, item.currency)
        )

    @precondition(lambda self: self.of("dispute"))
    @rule(pick=some)
    def win(self, pick: int) -> None:
        item = self.one_of("dispute", pick)
        if any(each.subject == item.subject for each in self.of("won_dispute")):
            return
        win_dispute(item.subject, effective_at=self.clock.now, actor=MAKER)
        self.items.append(
            Item(item.merchant, "won_dispute", item.subject, -item.amount, 0, item.currency)
        )

    # What the processor and finance staff do.

    @precondition(lambda self: self.unconverted())
    @rule(pick=some, rate=st.integers(850, 950), spread=st.integers(-5, 5))
    def convert(self, pick: int, rate: int, spread: int) -> None:
        """The report of a payment, refund or dispute: at its own rate, and at the agreed one."""
        item = self.unconverted()[pick % len(self.unconverted())]
        item.converted = item.amount * rate // 1_000
        if item.converted == 0:
            item.converted = 1 if item.amount > 0 else -1
        sold, agreed = Money(item.amount, "USD"), Money(item.converted, "EUR")
        bought = Money(item.converted + spread or item.converted, "EUR")
        self.number += 1
        about = {
            "key": f"stl_{self.number}",
            "reference": item.subject.public_id,
            "effective_at": self.clock.now,
        }
        post_all(
            [
                entry_for_conversion("sim", sold, bought, **about),
                entry_for_merchant_conversion(item.merchant, sold, agreed, bought, **about),
            ]
        )

    @rule(pick=st.booleans(), amount=st.integers(-50_00, 50_00).filter(bool))
    def adjust(self, pick: bool, amount: int) -> None:
        merchant = self.merchants[pick]
        asked = request_adjustment(merchant, Money(amount, "EUR"), reason="x", actor=MAKER)
        approve_adjustment(asked, actor=CHECKER)
        self.items.append(Item(merchant, "adjustment", asked, amount, 0))

    @rule(days=st.integers(0, 3))
    def settle(self, days: int) -> None:
        """Today, twice: the second time nothing is left."""
        self.clock.now += timedelta(days=days)
        run_settlement(self.clock.now.date(), actor=MAKER)
        before = Settlement.objects.count()
        assert run_settlement(self.clock.now.date(), actor=MAKER) == []
        assert Settlement.objects.count() == before

    @precondition(lambda self: self.payouts("PENDING_APPROVAL"))
    @rule()
    def send(self) -> None:
        approve_payouts(self.payouts("PENDING_APPROVAL"), actor=CHECKER)
        hand_over_payout_file(file_of(self.payouts("APPROVED")), actor=MAKER)

    @precondition(lambda self: self.payouts("PENDING_APPROVAL"))
    @rule(pick=some)
    def cancel(self, pick: int) -> None:
        payouts = self.payouts("PENDING_APPROVAL")
        payout = cancel_payout(payouts[pick % len(payouts)], actor=MAKER, reason="x")
        self.items.append(Item(payout.merchant, "canceled_payout", payout, payout.amount, 0))

    @precondition(lambda self: self.payouts("SENT"))
    @rule(is_paid=st.booleans())
    def hear_from_the_bank(self, is_paid: bool) -> None:
        """It has paid the oldest payout, or refused it."""
        payout = self.payouts("SENT")[0]
        if not is_paid:
            mark_rejected([Refusal(payout.pk, "AC04", "closed")], actor=MAKER)
            return
        mark_paid({payout.pk: self.clock.now.date()})
        about = {"key": f"{payout.public_id}:x", "reference": "x", "effective_at": self.clock.now}
        post_all([entry_for_payout_paid(OUR_BANK, payout.money, **about)])

    @precondition(lambda self: self.payouts("PAID"))
    @rule(pick=some)
    def come_back(self, pick: int) -> None:
        payouts = self.payouts("PAID")
        payout, now = payouts[pick % len(payouts)], self.clock.now
        mark_returned([PayoutReturn(payout.pk, now.date(), OUR_BANK, "x", now)], actor=MAKER)

    # What holds after each step.

    @invariant()
    def nothing_is_lost(self) -> None:
        """Canceled payouts are earned no second time."""
        earned: Counter[str] = Counter()
        for item in self.items:
            if item.line == "canceled_payout":
                continue
            if item.currency == "EUR":
                earned["EUR"] += item.amount - item.fee
            elif item.converted is None:
                earned["USD"] += item.amount - item.fee
            elif item.is_settled:
                earned["EUR"] += item.converted - self.converted_fee(item)
            else:
                earned["EUR"] += item.converted
                earned["USD"] -= item.fee
        for currency in ("EUR", "USD"):
            places = [
                "merchant:",
                f"payouts:due:{currency}",
                f"payouts:in_transit:{currency}",
            ]
            owed = sum(balance_of(place, currency) for place in places)
            paid = -balance_of("bank:", currency)
            assert owed + paid == earned[currency], currency
            assert balance_of("fx:position:", currency) == 0

    @invariant()
    def payable_is_carried_or_in_no_batch(self) -> None:
        for merchant in self.merchants:
            batches = SettlementBatch.objects.filter(merchant=merchant).order_by("-period")
            newest = batches.first()
            expected = newest.carried_out if newest else 0
            mine = [item for item in self.items if item.merchant == merchant]
            for item in mine:
                if not item.is_settled and item.currency == "EUR":
                    expected += item.amount - item.fee
                elif not item.is_settled and item.converted is not None:
                    expected += item.converted
            assert balance_of(f"merchant:{merchant.code}:payable:", "EUR") == expected

    @invariant()
    def batches_are_legal(self) -> None:
        assert illegal_settlements() == []

    # How the rules say it.

    def of(self, *lines: str) -> list[Item]:
        return [item for item in self.items if item.line in lines]

    def one_of(self, line: str, pick: int) -> Item:
        return self.of(line)[pick % len(self.of(line))]

    def unconverted(self) -> list[Item]:
        return [item for item in self.items if item.currency == "USD" and item.converted is None]

    def payouts(self, status: str) -> list[Payout]:
        rows = Payout.objects.filter(status=status).select_related("merchant", "batch")
        return list(rows.order_by("pk"))

    def converted_fee(self, item: Item) -> int:
        """At the rate of the conversion, rounded half away from zero."""
        assert item.converted is not None
        share, whole = abs(item.fee * item.converted), abs(item.amount)
        fee = (2 * share + whole) // (2 * whole)
        return fee if item.fee >= 0 else -fee


def balance_of(prefix: str, currency: str) -> int:
    accounts = Account.objects.filter(code__startswith=prefix, currency=currency)
    return sum(account.balance.money.amount for account in accounts.select_related("balance"))


@pytest.mark.django_db
def test_no_history_loses_a_cent() -> None:
    run_state_machine_as_test(
        Settling,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
