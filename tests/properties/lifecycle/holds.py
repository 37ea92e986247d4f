"""Holds are placed, captured, voided, and they expire."""

from datetime import UTC, datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.entries import AccountRef, AccountType, moves
from ledger.models import Hold
from ledger.money import Money
from ledger.services.holds import capture_hold, expire_holds, place_hold, void_hold
from tests.properties.lifecycle.strategies import (
    amounts,
    moments,
    some,
    wallets,
    wallets_or_wrong,
)
from tests.properties.lifecycle.two_ledgers import MAKER, TwoLedgers

FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


class HoldRules(TwoLedgers):
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

    def held(self, pick: int) -> tuple[str, str, AccountRef]:
        """One of the holds: its key, its id and its account."""
        key = list(self.slow.holds)[pick % len(self.slow.holds)]
        hold = Hold.objects.select_related("account").get(idempotency_key=key)
        return key, hold.public_id, hold.account.ref
