"""What a bank is told: transfers from one account of ours on one day. Pure values."""

from dataclasses import dataclass
from datetime import date, datetime

from ledger.money import Money

NAME_LENGTH_MAX = 70
REMITTANCE_LENGTH_MAX = 140


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account as payment messages name it; `bic` may be empty."""

    holder: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment to be made. `end_to_end_id` comes back in everything the bank says about it."""

    end_to_end_id: str
    money: Money
    creditor: NamedAccount
    remittance: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Transfers in one currency that leave one account on one day."""

    message_id: str
    created_at: datetime
    execution_on: date
    currency: str
    debtor: NamedAccount
    transfers: tuple[Transfer, ...]

    @property
    def control_sum(self) -> Money:
        """All transfers together."""
        return sum((each.money for each in self.transfers), Money(0, self.currency))
