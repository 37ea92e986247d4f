"""Which payouts add up to a deposit that names none of them."""

from collections.abc import Iterable
from itertools import combinations

from reconciliation.models import ProcessorPayout

# A deposit without any id may be the sum of this many payouts of one processor, currency and day.
SUBSET_PAYOUTS_MAX = 16


def only_subset(candidates: Iterable[ProcessorPayout], total: int) -> tuple[ProcessorPayout, ...]:
    """The one set of candidates that adds up to the total; empty if there is none or a second one.

    Beyond SUBSET_PAYOUTS_MAX candidates only single payouts are considered.
    """
    payouts = list(candidates)
    largest = len(payouts) if len(payouts) <= SUBSET_PAYOUTS_MAX else 1
    found: tuple[ProcessorPayout, ...] = ()
    for size in range(1, largest + 1):
        for subset in combinations(payouts, size):
            if sum(payout.amount for payout in subset) == total:
                if found:
                    return ()
                found = subset
    return found
