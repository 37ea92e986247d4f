"""Which price is in force, and what it comes to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from ledger.errors import Invalid
from ledger.money import Money
from payments.models import FeePlan, Merchant, Payment, Refund


def method_of(source: str) -> str:
    """How the payer pays, as fee plans name it: what a token says after its kind.

    `tok_visa` is `visa`; a token that does not say more is no method of its own.
    """
    return source.partition("_")[2]


class FeePlans:
    """The fee plans of some merchants, read once."""

    def __init__(self, merchants: Iterable[Merchant]) -> None:
        self._plans: dict[tuple[int, str, str], list[FeePlan]] = defaultdict(list)
        plans = FeePlan.objects.filter(merchant__in=set(merchants)).order_by("-valid_from")
        for plan in plans:
            self._plans[plan.merchant_id, plan.currency, plan.method].append(plan)

    def plan_for(
        self, merchant: Merchant, currency: str, *, on: date, method: str = ""
    ) -> FeePlan | None:
        """The plan in force on that day: the method's own, or else the one for any method."""
        for name in dict.fromkeys((method, "")):
            for plan in self._plans.get((merchant.pk, currency, name), ()):
                if plan.valid_from <= on:
                    return plan
        return None

    def fee_for(self, merchant: Merchant, money: Money, *, on: date, method: str = "") -> int:
        """Our fee by the plan in force on that day, minor units; 0 if there is none."""
        plan = self.plan_for(merchant, money.currency, on=on, method=method)
        return 0 if plan is None else plan.fee_for(money).amount

    def price(self, payment: Payment, *, on: date) -> None:
        """Freeze our fee on a payment that succeeded, and the plan it comes from."""
        method = method_of(payment.source)
        plan = self.plan_for(payment.merchant, payment.currency, on=on, method=method)
        payment.fee_plan = plan
        payment.fee = 0 if plan is None else plan.fee_for(payment.captured_money).amount


def give_fees_back(refunds: Sequence[Refund]) -> None:
    """Set what of our fee each refund gives back, by the plan its payment was priced with.

    They succeed now and are not saved as such yet; the caller holds their payments.
    """
    plans = FeePlan.objects.exclude(refund_policy=FeePlan.RefundPolicy.NONE).in_bulk(
        {row.payment.fee_plan_id for row in refunds if row.payment.fee and row.payment.fee_plan_id}
    )
    due = [refund for refund in refunds if refund.payment.fee_plan_id in plans]
    if not due:
        return
    before = Refund.objects.filter(
        payment__in={refund.payment_id for refund in due}, status=Refund.Status.SUCCEEDED
    )
    sums = before.order_by().values_list("payment").annotate(Sum("amount"), Sum("fee_returned"))
    done = {payment_id: (refunded, returned) for payment_id, refunded, returned in sums}
    for refund in due:
        payment = refund.payment
        refunded, returned = done.get(payment.pk, (0, 0))
        refunded += refund.amount
        plan = plans[payment.fee_plan_id]
        total = plan.given_back(payment.fee, refunded=refunded, of=payment.amount_captured)
        refund.fee_returned = total - returned
        done[payment.pk] = (refunded, total)


def dispute_fees(payments: Iterable[Payment]) -> dict[int, int]:
    """What a dispute of each payment costs its merchant, minor units, by the payment's id."""
    priced = {payment.pk: payment.fee_plan_id for payment in payments}
    plans = FeePlan.objects.in_bulk(set(priced.values()) - {None})
    return {
        payment_id: plans[plan_id].dispute_fee if plan_id in plans else 0
        for payment_id, plan_id in priced.items()
    }


@dataclass(frozen=True, slots=True)
class Quote:
    """What a payment would cost; without a plan it costs nothing."""

    money: Money
    fee: Money
    plan: FeePlan | None

    @property
    def net(self) -> Money:
        return self.money - self.fee


def quote(merchant: Merchant, money: Money, *, on: date, method: str = "") -> Quote:
    """The fee of a payment of this amount if it succeeded on that day. Changes nothing.

    Raises Invalid for an amount that is not positive.
    """
    if money.amount <= 0:
        raise Invalid("The amount must be more than zero.")
    plan = FeePlans([merchant]).plan_for(merchant, money.currency, on=on, method=method)
    return Quote(money, Money(0, money.currency) if plan is None else plan.fee_for(money), plan)
