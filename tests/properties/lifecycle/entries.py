"""Accounts are opened; entries are posted, replayed and reversed."""

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.entries import AccountRef, AccountType, moves
from ledger.models import JournalEntry
from ledger.money import Money
from ledger.services.accounts import open_account
from ledger.services.reversals import reverse_entry
from tests.properties.lifecycle.strategies import (
    MOMENTS,
    amounts,
    moments,
    some,
    wallets,
    wallets_or_wrong,
)
from tests.properties.lifecycle.two_ledgers import MAKER, TwoLedgers
from tests.support.slow_ledger import mirrored

CASH = AccountRef("cash", AccountType.ASSET, "EUR")
DOLLARS = AccountRef("cash:dollars", AccountType.ASSET, "USD")


class EntryRules(TwoLedgers):
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
