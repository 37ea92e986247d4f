"""The ledger, and a slow one beside it: what they begin with, and what holds after each step."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.test import override_settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from ledger.actors import Actor
from ledger.entries import Entry
from ledger.errors import DomainError
from ledger.models import Account
from ledger.money import Money
from ledger.selectors import available_of, balances_of, trial_balance
from ledger.services.periods import open_period
from ledger.services.posting import post_entries
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from payments.models import Payment
from tests.factories import MerchantFactory
from tests.support.books import WRONG_BALANCES, assert_books_balance, query
from tests.support.slow_ledger import SlowLedger, assert_same_as

MAKER, CHECKER = Actor.system("maker"), Actor.system("checker")
# Three periods, from each of these to the next.
MONTHS = [datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 5)]


class TwoLedgers(RuleBasedStateMachine):
    """The rules of each noun inherit this, and tell both the same things."""

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
        assert query(WRONG_BALANCES) == []

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
