"""What is on accounts, now or at any moment."""

from collections.abc import Iterable
from datetime import datetime

from ledger import sql
from ledger.entries import Direction
from ledger.models import Account, AccountBalance, Seal
from ledger.money import Money
from ledger.selectors.moments import aware, just_after


def balance_of(
    account: Account, *, as_of: datetime | None = None, known_at: datetime | None = None
) -> Money:
    """The balance by the account's normal side; without moments, now.

    `as_of` leaves out what took effect after it, whenever that was posted; `known_at` leaves out
    what was posted after it, whenever that took effect. Both together tell what the books said at
    `known_at` about `as_of`. Raises ValueError for a moment without a time zone.
    """
    return balances_of([account], as_of=as_of, known_at=known_at)[account.pk]


def balances_of(
    accounts: Iterable[Account],
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[int, Money]:
    """`balance_of` each account, by its primary key, all taken at the same instant."""
    wanted = list({account.pk: account for account in accounts}.values())
    totals = sql.rows(
        "ledger",
        "sum_balances",
        account_ids=[account.pk for account in wanted],
        effective_befores=[just_after(as_of)] * len(wanted),
        posted_befores=[just_after(known_at)] * len(wanted),
        is_listing=False,
        gaps_max=0,
    )
    return {
        account.pk: by_normal_side(account, int(total.debits), int(total.credits))
        for account, total in zip(wanted, totals, strict=True)
    }


def available_of(account: Account) -> Money:
    """What may still be spent now: the balance less what open holds may take."""
    return AccountBalance.objects.select_related("account").get(account=account).available_money


def is_final(known_at: datetime) -> bool:
    """Whether what was known at this moment can no longer change: all of it is sealed.

    Until then a transaction that began before the moment and is not over yet may still add to it.
    """
    aware(known_at)
    return Seal.objects.filter(horizon__gte=known_at).exists()


def by_normal_side(account: Account, debits: int, credits: int) -> Money:
    difference = debits - credits
    is_debit_normal = account.normal_side == Direction.DEBIT
    return Money(difference if is_debit_normal else -difference, account.currency)
