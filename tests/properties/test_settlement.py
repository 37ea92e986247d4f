"""Whatever merchants, payers, banks and finance staff do, in whatever order: no cent is lost.

A slow settlement is told the same. After every step, per currency, what merchants earned less
our fees is payable, in reserve, due, in transit or paid, and what is payable to each is what its
newest batch carries on plus what is in no batch yet. `SETTLEMENT_EXAMPLES` makes it longer.
"""

import os
from collections.abc import Sequence
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
from payments.models import Payment
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
from tests.support.slow_settlement import Prices, SlowSettlement

EXAMPLES = int(os.environ.get("SETTLEMENT_EXAMPLES", "6"))
STEPS_PER_EXAMPLE = 40
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
OUR_BANK = bank(IBAN, "EUR")

PRICES = {
    "plain": {"EUR": Prices(290, fixed=30)},
    "special": {
        "EUR": Prices(
            175, minimum=10, maximum=3_00, refund_policy="proportional", dispute_fee=15_00
        ),
        "USD": Prices(175, minimum=10, maximum=3_00, refund_policy="full", dispute_fee=15_00),
    },
}

amounts = st.integers(1, 400_00)
some = st.integers(0, 10**6)  # picks one of what there is by then


class Settling(RuleBasedStateMachine):
    """Two merchants: one settled by default terms, one by all terms there are."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.clock = Clock(self.patch, MONDAY)
        self.transaction = transaction.atomic()
        self.transaction._from_testcase = True
        self.transaction.__enter__()
        self.slow = SlowSettlement(PRICES)
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
        self.merchants = [MerchantFactory(code=code, fees={}) for code in PRICES]
        for merchant in self.merchants:
            bank_account(merchant)
            for currency, prices in PRICES[merchant.code].items():
                set_fee_plan(merchant, currency=currency, valid_from=ALWAYS, **vars(prices))
        terms = ScheduleTerms(
            zone="Europe/Berlin",
            holidays="DE",
            delay_days=1,
            minimum_payouts={"EUR": 25_00},
            reserve_basis_points=1_000,
            reserve_days=3,
        )
        set_schedule(self.merchants[1], terms, valid_from=ALWAYS, actor=MAKER)

    # What payers do.

    @rule(pick=st.booleans(), amount=amounts, currency=st.sampled_from(["EUR", "EUR", "USD"]))
    def pay(self, pick: bool, amount: int, currency: str) -> None:
        merchant = self.merchants[pick]
        payment = SucceededPaymentFactory(merchant=merchant, money=Money(amount, currency))
        Payment.objects.filter(pk=payment.pk).update(settlement_currency="EUR")
        payment.refresh_from_db()
        self.slow.pay(payment, amount, currency)

    @rule(pick=st.booleans(), amount=amounts)
    def fail_to_pay(self, pick: bool, amount: int) -> None:
        merchant, money = self.merchants[pick], Money(amount, "EUR")
        PaymentFactory(merchant=merchant, money=money, source="tok_declined")

    @precondition(lambda self: self.slow.of("payment"))
    @rule(pick=some, part=st.integers(1, 3))
    def refund(self, pick: int, part: int) -> None:
        item = one_of(self.slow.of("payment"), pick)
        payment = Payment.objects.get(pk=item.subject.pk)
        left = payment.refundable.amount
        if not left:
            return
        money = Money(-(-left // part), payment.currency)
        refund = SucceededRefundFactory(payment=payment, money=money)
        self.slow.refund(item, refund, money.amount)

    @precondition(lambda self: self.slow.of("payment"))
    @rule(pick=some)
    def dispute(self, pick: int) -> None:
        item = one_of(self.slow.of("payment"), pick)
        if item.subject.disputes.exists():
            return
        money = Money(-(-item.amount // 2), item.currency)
        dispute = DisputeFactory(payment=item.subject, money=money, effective_at=self.clock.now)
        self.slow.dispute(item, dispute, money.amount)

    @precondition(lambda self: self.slow.of("dispute"))
    @rule(pick=some)
    def win(self, pick: int) -> None:
        item = one_of(self.slow.of("dispute"), pick)
        if any(each.subject == item.subject for each in self.slow.of("won_dispute")):
            return
        win_dispute(item.subject, effective_at=self.clock.now, actor=MAKER)
        self.slow.win(item)

    # What the processor and finance staff do.

    @precondition(lambda self: self.slow.unconverted())
    @rule(pick=some, rate=st.integers(850, 950), spread=st.integers(-5, 5))
    def convert(self, pick: int, rate: int, spread: int) -> None:
        """The report of a payment, refund or dispute: at its own rate, and at the agreed one."""
        item = one_of(self.slow.unconverted(), pick)
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
        self.slow.adjust(merchant, asked, amount)

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
        payout = one_of(self.payouts("PENDING_APPROVAL"), pick)
        self.slow.cancel(cancel_payout(payout, actor=MAKER, reason="x"))

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
        payout, now = one_of(self.payouts("PAID"), pick), self.clock.now
        mark_returned([PayoutReturn(payout.pk, now.date(), OUR_BANK, "x", now)], actor=MAKER)

    # What holds after each step.

    @invariant()
    def nothing_is_lost(self) -> None:
        earned = self.slow.earned()
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
            carried = newest.carried_out if newest else 0
            expected = carried + self.slow.in_no_batch(merchant)
            assert balance_of(f"merchant:{merchant.code}:payable:", "EUR") == expected

    @invariant()
    def batches_are_legal(self) -> None:
        assert illegal_settlements() == []

    # How the rules say it.

    def payouts(self, status: str) -> list[Payout]:
        rows = Payout.objects.filter(status=status).select_related("merchant", "batch")
        return list(rows.order_by("pk"))


def one_of(things: Sequence[Any], pick: int) -> Any:
    return things[pick % len(things)]


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
