"""What every rail promises."""

from collections.abc import Sequence
from typing import Protocol

from settlements.models import Payout


class Rail(Protocol):
    """Hands payouts to a bank. Repeating a payout, by public id, must not pay it twice."""

    def pay(self, payouts: Sequence[Payout]) -> None: ...
