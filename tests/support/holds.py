"""Accounts with money, and holds on it."""

from datetime import datetime

from ledger.actors import Actor
from ledger.entries import Entry
from ledger.models import Account, AccountBalance
from ledger.money import Money
from ledger.services.holds import (
    place_hold,
)
from tests.support.entries import funded, transfer, wallet

SOURCE, TARGET = wallet("a"), wallet("b")
ACTOR = Actor.system("test")


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def held(amount: int, *, of: int = 100, key: str = "h1", expires_at: datetime | None = None) -> str:
    """The id of a hold of `amount` on a wallet with `of` in it."""
    if not Account.objects.filter(code=SOURCE.code).exists():
        funded(SOURCE, of)
    return place_hold(
        SOURCE, eur(amount), idempotency_key=key, reference="order-1", expires_at=expires_at
    ).public_id


def take(amount: int, *, key: str = "c1") -> Entry:
    return transfer(key, SOURCE, TARGET, amount)


def money_of(account: str = "a") -> tuple[int, int, int]:
    """Posted, pending and available, in minor units."""
    row = AccountBalance.objects.select_related("account").get(account__code=account)
    return row.money.amount, row.pending_money.amount, row.available_money.amount
