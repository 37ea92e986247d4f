"""Accounts and entries for tests of the ledger itself."""

from datetime import UTC, datetime

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.models import Account, AccountBalance
from ledger.money import Money
from ledger.services.posting import Status, post_entries

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASH = AccountRef("cash", AccountType.ASSET, "EUR")
SALES = AccountRef("sales", AccountType.INCOME, "EUR")


def wallet(code: str, *, floor: int | None = 0, currency: str = "EUR") -> AccountRef:
    return AccountRef(code, AccountType.LIABILITY, currency, owner="mer_1", floor=floor)


def deposit(key: str, account: AccountRef, amount: int, *, at: datetime = NOON) -> Entry:
    """Cash comes in and a wallet grows."""
    cash = AccountRef(f"cash:{account.currency}", AccountType.ASSET, account.currency)
    lines = moves(cash, account, Money(amount, account.currency))
    return Entry(key, "deposit", f"ref-{key}", at, lines)


def transfer(
    key: str, source: AccountRef, target: AccountRef, amount: int, *, at: datetime = NOON
) -> Entry:
    """One wallet pays another."""
    lines = moves(source, target, Money(amount, source.currency))
    return Entry(key, "transfer", f"ref-{key}", at, lines)


def funded(account: AccountRef, amount: int) -> AccountRef:
    """The wallet, with this much in it."""
    (result,) = post_entries([deposit(f"funding:{account.owner}:{account.code}", account, amount)])
    assert result.status == Status.POSTED, result
    return account


def balance(account: AccountRef) -> int:
    """Minor units by the account's normal side; 0 if it was never posted to."""
    row = Account.objects.filter(owner=account.owner, code=account.code).first()
    if row is None:
        return 0
    return AccountBalance.objects.select_related("account").get(account=row).money.amount
