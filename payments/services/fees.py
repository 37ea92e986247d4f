"""Which price is in force."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from ledger.money import Money
from payments.models import FeePlan, Merchant


class FeePlans:
    """The fee plans of some merchants, read once."""

    def __init__(self, merchants: Iterable[Merchant]) -> None:
        self._plans: dict[tuple[int, str], list[FeePlan]] = defaultdict(list)
        plans = FeePlan.objects.filter(merchant__in=set(merchants)).order_by("-valid_from")
        for plan in plans:
            self._plans[plan.merchant_id, plan.currency].append(plan)

    def fee_for(self, merchant: Merchant, money: Money, *, on: date) -> int:
        """Our fee by the plan in force on that day, minor units; 0 if there is none."""
        for plan in self._plans[merchant.pk, money.currency]:
            if plan.valid_from <= on:
                return plan.fee_for(money).amount
        return 0
