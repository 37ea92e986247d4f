"""Reads of the ledger."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from ledger.entries import AccountType, Direction
from ledger.models import Account, AccountBalance, Posting
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """Total debits and credits of all accounts of one currency; equal, or the books are broken."""

    currency: str
    accounts: int
    debits: Money
    credits: Money

    @property
    def is_balanced(self) -> bool:
        return self.debits == self.credits


def trial_balance() -> list[TrialBalanceRow]:
    """Debits and credits per currency, summed from the postings themselves."""
    totals = (
        Posting.objects.values("account__currency")
        .annotate(
            accounts=Count("account", distinct=True),
            debits=Coalesce(Sum("amount", filter=Q(direction=Direction.DEBIT)), 0),
            credits=Coalesce(Sum("amount", filter=Q(direction=Direction.CREDIT)), 0),
        )
        .order_by("account__currency")
    )
    return [
        TrialBalanceRow(
            currency=row["account__currency"],
            accounts=row["accounts"],
            debits=Money(int(row["debits"]), row["account__currency"]),
            credits=Money(int(row["credits"]), row["account__currency"]),
        )
        for row in totals
    ]


def balance_of(account: Account, *, as_of: datetime | None = None) -> Money:
    """The balance by the account's normal side; with `as_of`, of what was effective by then."""
    if as_of is None:
        return AccountBalance.objects.select_related("account").get(account=account).money
    totals = Posting.objects.filter(account=account, entry__effective_at__lte=as_of).aggregate(
        debits=Coalesce(Sum("amount", filter=Q(direction=Direction.DEBIT)), 0),
        credits=Coalesce(Sum("amount", filter=Q(direction=Direction.CREDIT)), 0),
    )
    difference = int(totals["debits"] - totals["credits"])
    is_debit_normal = account.type in (AccountType.ASSET, AccountType.EXPENSE)
    return Money(difference if is_debit_normal else -difference, account.currency)
