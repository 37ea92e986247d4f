"""LED-01: whatever is done to the ledger in whatever order, no law of the books is ever broken.

`LEDGER_LIFECYCLE_EXAMPLES` makes it longer; a failure prints the steps that lead to it.
"""

import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
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

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import DomainError
from ledger.models import Account, AccountingPeriod, Hold, JournalEntry
from ledger.money import Money
from ledger.selectors import available_of, balances_of, trial_balance
from ledger.services.accounts import open_account
from ledger.services.holds import capture_hold, expire_holds, place_hold, void_hold
from ledger.services.periods import (
    approve_reopening,
    close_period,
    lock_period,
    open_period,
    request_reopening,
)
from ledger.services.posting import post_entries
from ledger.services.reversals import reverse_entry
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from payments.bookkeeping import (
    entry_for_dispute_opened,
    entry_for_payment,
    entry_for_refund,
)
from payments.models import Payment
from payments.services.disputes import DisputeNotice, record_disputes
from tests.factories import MerchantFactory, SucceededPaymentFactory, SucceededRefundFactory
from tests.support.books import assert_books_balance, query
from tests.support.slow_ledger import SlowLedger, assert_same_as, mirrored

EXAMPLES = int(os.environ.get("LEDGER_LIFECYCLE_EXAMPLES", "40"))
STEPS_PER_EXAMPLE = 40
MAKER, CHECKER = Actor.system("maker"), Actor.system("checker")
MONTHS = [datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 5)]
MOMENTS = [datetime(2025, month, 15, 12, tzinfo=UTC) for month in range(1, 5)]
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)

CASH = AccountRef("cash", AccountType.ASSET, "EUR")
DOLLARS = AccountRef("cash:dollars", AccountType.ASSET, "USD")
WALLETS = [
    AccountRef("wallet", AccountType.LIABILITY, "EUR", "m", floor=0),
    AccountRef("other", AccountType.LIABILITY, "EUR", "m", floor=0),
    AccountRef("credit", AccountType.LIABILITY, "EUR", "m", floor=-50),
    AccountRef("till", AccountType.ASSET, "EUR", "m", floor=0),
    AccountRef("free", AccountType.LIABILITY, "EUR", "m"),
    AccountRef("dollars", AccountType.LIABILITY, "USD", "m", floor=0),
]
WRONG = [
    AccountRef("wallet", AccountType.ASSET, "EUR", "m", floor=0),
    AccountRef("wallet", AccountType.LIABILITY, "USD", "m", floor=0),
]

wallets = st.sampled_from(WALLETS)
wallets_or_wrong = st.sampled_from(WALLETS * 3 + WRONG)
# Round ones, so that what is asked is often just what is there, or held.
amounts = st.sampled_from([1, 10, 25, 50, 60])
moments = st.sampled_from(MOMENTS)
some = st.integers(0, 10**6)  # picks one of what there is by then


class LedgerLifecycle(RuleBasedStateMachine):
    """The ledger beside a slow one that is told the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.settings = override_settings(LEDGER_ANCHOR_FILE=f"{self.folder.name}/anchors.log")
        self.settings.enable()
        self.transaction = transaction.atomic()
        # Sealing asks to be outermost, as it would ask inside a test of Django's own.
        self.transaction._from_testcase = True
        self.transaction.__enter__()
        self.slow = SlowLedger()
        self.asked: list[Entry] = []
        self.payments: list[Payment] = []
        self.number = 0

    def teardown(self) -> None:
        try:
            seal_entries()
            assert verify_ledger(is_full=True) == []
            assert_books_balance()
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.settings.disable()
            self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.merchant = MerchantFactory(code="shop")
        for starts_at, ends_at in pairwise(MONTHS):
            open_period(f"{starts_at:%Y-%m}", starts_at=starts_at, ends_at=ends_at, actor=MAKER)

    # Accounts and entries.

    @rule(ref=wallets_or_wrong)
    def open_an_account(self, ref: AccountRef) -> None:
        self.both("opened", lambda: open_account(ref), self.slow.open(ref))

    @rule(ref=wallets, amount=st.sampled_from([50, 60, 100]), moment=moments)
    def deposit(self, ref: AccountRef, amount: int, moment: datetime) -> None:
        cash = CASH if ref.currency == "EUR" else DOLLARS
        source, target = (ref, cash) if ref.type == AccountType.ASSET else (cash, ref)
        self.post([self.entry(moves(source, target, Money(amount, ref.currency)), moment)])

    @rule(
        legs=st.lists(
            st.tuples(wallets_or_wrong, wallets_or_wrong, amounts), min_size=1, max_size=4
        ),
        moment=moments,
        moves_if_late=st.booleans(),
    )
    def transfer(
        self, legs: list[tuple[AccountRef, AccountRef, int]], moment: datetime, moves_if_late: bool
    ) -> None:
        """A batch of transfers, back-dated or not, of which any may be refused."""
        self.post(
            [
                self.entry(
                    moves(source, target, Money(amount, source.currency)),
                    moment,
                    moves_if_late=moves_if_late,
                )
                for source, target, amount in legs
                if source.currency == target.currency
            ]
        )

    @rule(source=wallets, of_balance=st.booleans(), more=st.integers(0, 1))
    def spend(self, source: AccountRef, of_balance: bool, more: int) -> None:
        """All that is there, or available, or one more than that."""
        account = self.slow.accounts.get(source.key)
        cash = CASH if source.currency == "EUR" else DOLLARS
        if account is None or account.type != source.type or account.currency != source.currency:
            return
        amount = account.balance - (0 if of_balance else account.held) + more
        into, out_of = (cash, source) if source.type == AccountType.ASSET else (source, cash)
        if amount:
            lines = moves(into, out_of, Money(amount, source.currency))
            self.post([self.entry(lines, MOMENTS[-1])])

    @precondition(lambda self: self.asked)
    @rule(picks=st.lists(some, min_size=1, max_size=3))
    def ask_again(self, picks: list[int]) -> None:
        """Whatever became of an entry then: it is replayed, or decided anew."""
        self.post([self.asked[pick % len(self.asked)] for pick in picks])

    @precondition(lambda self: self.slow.entries)
    @rule(pick=some, moment=moments)
    def reverse(self, pick: int, moment: datetime) -> None:
        key = list(self.slow.entries)[pick % len(self.slow.entries)]
        original = JournalEntry.objects.get(idempotency_key=key)
        reversal = mirrored(self.slow, key, f"reversal:{original.public_id}", moment)
        if reversal.idempotency_key in self.slow.entries:
            expected = "posted"  # whatever the moment: it is the one there is
        else:
            expected = self.slow.post(reversal)

        def real() -> None:
            reverse_entry(original.public_id, reason="wrong", actor=MAKER, effective_at=moment)

        self.both("posted", real, expected)

    # Holds.

    @rule(ref=wallets_or_wrong, amount=amounts, number=st.integers(0, 12))
    def hold(self, ref: AccountRef, amount: int, number: int) -> None:
        """Also the same hold again, and another one under its key."""

        def real() -> None:
            money = Money(amount, ref.currency)
            place_hold(
                ref, money, idempotency_key=f"h{number}", reference="order", expires_at=FUTURE
            )

        expected = self.slow.place_hold(f"h{number}", ref, amount)
        self.both("held", real, expected.replace("replayed", "held"))

    @precondition(lambda self: self.slow.holds)
    @rule(pick=some, receiver=wallets, amount=amounts, is_final=st.booleans(), moment=moments)
    def capture(
        self, pick: int, receiver: AccountRef, amount: int, is_final: bool, moment: datetime
    ) -> None:
        key, public_id, source = self.held(pick)
        if source.currency != receiver.currency:
            return
        money = Money(amount, source.currency)
        takes_by_credit = source.type == AccountType.ASSET
        lines = (
            moves(receiver, source, money) if takes_by_credit else moves(source, receiver, money)
        )
        entry = self.entry(lines, moment, moves_if_late=is_final)
        expected = self.slow.capture(key, entry, is_final=is_final)
        self.both("posted", lambda: capture_hold(public_id, entry, is_final=is_final), expected)

    @precondition(lambda self: self.slow.holds and self.asked)
    @rule(pick=some, pick_entry=some)
    def capture_again(self, pick: int, pick_entry: int) -> None:
        """With an entry that was asked for before, of this hold, of another or of none."""
        key, public_id, _ = self.held(pick)
        entry = self.asked[pick_entry % len(self.asked)]
        expected = self.slow.capture(key, entry, is_final=False).replace("replayed", "posted")
        self.both("posted", lambda: capture_hold(public_id, entry), expected)

    @precondition(lambda self: self.slow.holds)
    @rule(pick=some)
    def void(self, pick: int) -> None:
        key, public_id, _ = self.held(pick)
        expected = self.slow.end_hold(key, "VOIDED")
        self.both("ended", lambda: void_hold(public_id, actor=MAKER), expected)

    @precondition(lambda self: self.slow.holds)
    @rule()
    def expire(self) -> None:
        open_ones = [key for key, hold in self.slow.holds.items() if hold.status == "HELD"]
        for key in open_ones:
            self.slow.end_hold(key, "EXPIRED")
        assert expire_holds(now=FUTURE) == len(open_ones)

    # Payments, by their own rules of bookkeeping.

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

    # Periods and seals.

    @rule()
    def close_the_next_period(self) -> None:
        period = AccountingPeriod.objects.filter(status="OPEN").order_by("starts_at").first()
        if period is not None:
            close_period(period.code, actor=MAKER)
            self.slow.closed_until = period.ends_at

    @precondition(lambda self: self.slow.closed_until)
    @rule()
    def lock_the_first_closed_period(self) -> None:
        period = AccountingPeriod.objects.filter(status="CLOSED").order_by("starts_at").first()
        if period is not None:
            lock_period(period.code, actor=MAKER)

    @precondition(lambda self: self.slow.closed_until)
    @rule()
    def reopen_the_last_closed_period(self) -> None:
        period = AccountingPeriod.objects.exclude(status="OPEN").order_by("-starts_at").first()
        assert period is not None
        if period.status == "LOCKED":
            return
        request_reopening(period.code, actor=MAKER, reason="an invoice came late")
        approve_reopening(period.code, actor=CHECKER)
        is_first = period.starts_at == MONTHS[0]
        self.slow.closed_until = None if is_first else period.starts_at

    @rule()
    def seal(self) -> None:
        seal_entries()

    # What holds after each step.

    @invariant()
    def everything_is_as_in_the_slow_ledger(self) -> None:
        """So whatever was refused has changed nothing at all."""
        assert_same_as(self.slow)

    @invariant()
    def the_laws_of_the_books_hold(self) -> None:
        accounts = self.slow.accounts.values()
        for currency in ("EUR", "USD"):
            mine = [account for account in accounts if account.currency == currency]
            assert sum(account.debits - account.credits for account in mine) == 0
        for account in accounts:
            assert min(account.debits, account.credits, account.held) >= 0
            if account.floor is not None:
                assert account.balance - account.held >= account.floor
        kept: dict[Any, int] = {}
        for hold in self.slow.holds.values():
            kept[hold.account] = kept.get(hold.account, 0) + hold.remaining
        assert all(row.held == kept.get(key, 0) for key, row in self.slow.accounts.items())
        assert query(WRONG_SUMS) == []

    @invariant()
    def what_readers_are_told_is_true(self) -> None:
        rows = {(row.owner, row.code): row for row in Account.objects.all()}
        balances = balances_of(rows.values())
        for key, account in self.slow.accounts.items():
            row = rows[key]
            assert balances[row.pk] == Money(account.balance, account.currency)
            available = Money(account.balance - account.held, account.currency)
            assert available_of(row) == available
        for total in trial_balance():
            mine = [a for a in self.slow.accounts.values() if a.currency == total.currency]
            assert total.debits.amount == sum(account.debits for account in mine)
            assert total.debits == total.credits

    # How the rules say it.

    def both(self, done: str, real: Callable[[], Any], expected: str) -> None:
        try:
            real()
            said = done
        except DomainError as refusal:
            said = refusal.code
        assert said == expected

    def post(self, entries: list[Entry]) -> None:
        expected = [self.slow.post(entry) for entry in entries]
        results = post_entries(entries)
        assert [result.code or str(result.status) for result in results] == expected

    def entry(self, lines: Any, moment: datetime, *, moves_if_late: bool = False) -> Entry:
        entry = Entry(self.key(), "test", "ref", moment, lines, moves_if_late=moves_if_late)
        self.asked.append(entry)
        return entry

    def key(self) -> str:
        self.number += 1
        return f"k{self.number}"

    def held(self, pick: int) -> tuple[str, str, AccountRef]:
        """One of the holds: its key, its id and its account."""
        key = list(self.slow.holds)[pick % len(self.slow.holds)]
        hold = Hold.objects.select_related("account").get(idempotency_key=key)
        return key, hold.public_id, hold.account.ref


WRONG_SUMS = """
SELECT account_id FROM ledger_accountbalance LEFT JOIN (
    SELECT account_id,
        coalesce(sum(amount) FILTER (WHERE direction = 'debit'), 0) AS posted_debits,
        coalesce(sum(amount) FILTER (WHERE direction = 'credit'), 0) AS posted_credits
    FROM ledger_posting GROUP BY account_id
) AS posted USING (account_id)
WHERE debits <> coalesce(posted_debits, 0) OR credits <> coalesce(posted_credits, 0)
"""


@pytest.mark.django_db
def test_led_01_no_order_of_events_breaks_a_law_of_the_books() -> None:
    run_state_machine_as_test(
        LedgerLifecycle,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
