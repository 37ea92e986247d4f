"""What merchants are owed, one thing at a time, in the plainest Python there is.

What settlement does with whole days at once is held against this.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from payments.models import Dispute, Merchant, Payment, Refund
from settlements.models import Adjustment, Payout, Settlement


@dataclass(frozen=True)
class Prices:
    """Those of one currency, called as `set_fee_plan` calls them. Minor units."""

    basis_points: int = 0
    fixed: int = 0
    minimum: int = 0
    maximum: int | None = None
    refund_policy: str = "none"
    dispute_fee: int = 0

    def fee_for(self, amount: int) -> int:
        share = (2 * amount * self.basis_points + 10_000) // 20_000
        fee = max(share + self.fixed, self.minimum)
        return min(fee, amount) if self.maximum is None else min(fee, amount, self.maximum)

    def given_back(self, fee: int, *, refunded: int, of: int) -> int:
        """Of the fee of a payment, once so much of it is refunded in all."""
        if self.refund_policy == "proportional":
            return (2 * fee * refunded + of) // (2 * of)
        return fee if self.refund_policy == "full" and refunded == of else 0


@dataclass
class Item:
    """Something that belongs into one batch: of whom, which line, and what it comes to.

    `amount` and `fee` are in the payer's currency; `converted` is what it is in euro, once it is.
    """

    merchant: Merchant
    line: str
    subject: Any
    amount: int
    fee: int = 0
    currency: str = "EUR"
    converted: int | None = None

    @property
    def is_settled(self) -> bool:
        return Settlement.objects.filter(**{self.line: self.subject}).exists()

    @property
    def converted_fee(self) -> int:
        """At the rate of the conversion, rounded half away from zero."""
        assert self.converted is not None
        share, whole = abs(self.fee * self.converted), abs(self.amount)
        fee = (2 * share + whole) // (2 * whole)
        return fee if self.fee >= 0 else -fee


@dataclass
class SlowSettlement:
    """Merchants that are all paid in euro, and everything that happened to them."""

    prices: dict[str, dict[str, Prices]]  # by the merchant's code and by currency
    items: list[Item] = field(default_factory=list)

    def of(self, line: str) -> list[Item]:
        return [item for item in self.items if item.line == line]

    def unconverted(self) -> list[Item]:
        return [item for item in self.items if item.currency != "EUR" and item.converted is None]

    def pay(self, payment: Payment, amount: int, currency: str) -> None:
        fee = self._prices(payment.merchant, currency).fee_for(amount)
        self.items.append(Item(payment.merchant, "payment", payment, amount, fee, currency))

    def refund(self, paid: Item, refund: Refund, amount: int) -> None:
        before = [item for item in self.of("refund") if item.subject.payment == paid.subject]
        refunded = amount - sum(item.amount for item in before)
        prices = self._prices(paid.merchant, paid.currency)
        total = prices.given_back(paid.fee, refunded=refunded, of=paid.amount)
        fee = -total - sum(item.fee for item in before)
        self.items.append(Item(paid.merchant, "refund", refund, -amount, fee, paid.currency))

    def dispute(self, paid: Item, dispute: Dispute, amount: int) -> None:
        fee = self._prices(paid.merchant, paid.currency).dispute_fee
        self.items.append(Item(paid.merchant, "dispute", dispute, -amount, fee, paid.currency))

    def win(self, lost: Item) -> None:
        """What was taken is given back, and our fee is not."""
        won = Item(lost.merchant, "won_dispute", lost.subject, -lost.amount, 0, lost.currency)
        self.items.append(won)

    def adjust(self, merchant: Merchant, adjustment: Adjustment, amount: int) -> None:
        self.items.append(Item(merchant, "adjustment", adjustment, amount))

    def cancel(self, payout: Payout) -> None:
        self.items.append(Item(payout.merchant, "canceled_payout", payout, payout.amount))

    def earned(self) -> Counter[str]:
        """By all merchants, less our fees, in the currencies it is in by now."""
        earned: Counter[str] = Counter()
        for item in self.items:
            if item.line == "canceled_payout":
                continue  # it was earned before
            if item.converted is None:
                earned[item.currency] += item.amount - item.fee
            elif item.is_settled:
                earned["EUR"] += item.converted - item.converted_fee
            else:
                earned["EUR"] += item.converted
                earned[item.currency] -= item.fee
        return earned

    def in_no_batch(self, merchant: Merchant) -> int:
        """What is payable to it, in euro, and belongs into a batch to come."""
        payable = 0
        for item in self.items:
            if item.merchant != merchant or item.is_settled:
                continue
            if item.currency == "EUR":
                payable += item.amount - item.fee
            elif item.converted is not None:
                payable += item.converted
        return payable

    def _prices(self, merchant: Merchant, currency: str) -> Prices:
        return self.prices[merchant.code].get(currency, Prices())
