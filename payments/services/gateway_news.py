"""What a gateway's news means for our rows.

News about payments and refunds never writes an outcome: it makes the row due, so that the worker
asks the gateway, and is done with when our row says the same. News that is late agrees with what
came after it; news that can never agree is for a person. Disputes are the gateway's to open and to
end, so news of them is acted on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import QuerySet, Sum
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import DomainError
from payments.gateways.inbound import (
    About,
    DisputeFact,
    DisputeNews,
    Fact,
    News,
    NothingToDo,
    PaymentNews,
    RefundedNews,
    RefundNews,
)
from payments.locks import lock_payment
from payments.models import Dispute, Gateway, GatewayEvent, Payment, Refund
from payments.services.disputes import (
    DisputeNotice,
    lose_dispute,
    open_dispute,
    review_dispute,
    win_dispute,
)

Row = TypeVar("Row", Payment, Refund)

FIRST_WAIT_SECONDS = 5
UNKNOWN_ATTEMPTS_MAX = 16  # eleven minutes
UNSETTLED_ATTEMPTS_MAX = 38  # more than a day

PaymentStatus = Payment.Status
_AGREES = {
    Fact.AUTHORIZED: {
        PaymentStatus.AUTHORIZED,
        PaymentStatus.SUCCEEDED,
        PaymentStatus.CANCELED,
        PaymentStatus.EXPIRED,
    },
    Fact.SUCCEEDED: {PaymentStatus.SUCCEEDED},
    Fact.FAILED: {PaymentStatus.FAILED},
    Fact.CANCELED: {PaymentStatus.CANCELED, PaymentStatus.EXPIRED, PaymentStatus.FAILED},
}
_MAY_STILL_AGREE = {
    Fact.AUTHORIZED: {PaymentStatus.PENDING, PaymentStatus.PROCESSING},
    Fact.SUCCEEDED: {PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.AUTHORIZED},
    Fact.FAILED: {PaymentStatus.PENDING, PaymentStatus.PROCESSING},
    Fact.CANCELED: {PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.AUTHORIZED},
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the event becomes, and why."""

    status: GatewayEvent.Status
    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """It is looked at again; after so many attempts it becomes `at_last`."""

    why: str
    at_last: GatewayEvent.Status
    attempts_max: int


def look_again_at(attempts: int, *, now: datetime) -> datetime:
    """When to look again after this many attempts: 6 s, and a quarter longer each time.

    Looking is cheap, and what the news waits for may be long done: the next wait is about a quarter
    of how long it has waited already.
    """
    return now + timedelta(seconds=FIRST_WAIT_SECONDS * 5**attempts // 4**attempts)


AGREED = Verdict(GatewayEvent.Status.PROCESSED, "Our row says the same.")
_NOT_OURS = Verdict(GatewayEvent.Status.IGNORED, "Asked for by somebody else.")
_UNKNOWN = Later("We know nothing of this.", GatewayEvent.Status.IGNORED, UNKNOWN_ATTEMPTS_MAX)


def act_on(gateway: Gateway, news: News) -> Verdict | Later:
    """Do what the news asks for. Inside the transaction that writes the verdict."""
    match news:
        case NothingToDo(why=why):
            return Verdict(GatewayEvent.Status.IGNORED, why)
        case PaymentNews():
            return _hear_of_payment(gateway, news)
        case RefundNews():
            return _hear_of_refund(gateway, news)
        case RefundedNews():
            return _hear_of_all_refunds(gateway, news)
        case DisputeNews():
            return _hear_of_dispute(gateway, news)


def _hear_of_payment(gateway: Gateway, news: PaymentNews) -> Verdict | Later:
    if not news.payment.key:
        return _NOT_OURS  # ours carry our key
    payment = _payment_of(gateway, news.payment)
    if payment is None:
        return _UNKNOWN
    theirs = news.payment.gateway_reference
    if theirs and payment.gateway_reference not in ("", theirs):
        return _contradiction(f"{theirs} is not what we know {payment} as.")
    if payment.status in _AGREES[news.fact]:
        ours = payment.captured_money if news.fact == Fact.SUCCEEDED else payment.money
        if news.money != ours:
            return _contradiction(f"{news.money} at the gateway, {ours} in {payment}.")
        return AGREED
    if payment.status in _MAY_STILL_AGREE[news.fact]:
        return _ask_soon(Payment.objects.filter(pk=payment.pk), payment)
    return _contradiction(f"{payment} is {payment.status}, and {news.fact} at the gateway.")


def _hear_of_refund(gateway: Gateway, news: RefundNews) -> Verdict | Later:
    refund = Refund.objects.filter(payment__gateway=gateway, public_id=news.key).first()
    if refund is None:
        payment = _payment_of(gateway, news.payment)
        if payment is None or news.key:
            return _UNKNOWN
        return _contradiction(f"{news.money} of {payment} was refunded, but not by us.")
    if news.money != refund.money:
        return _contradiction(f"{news.money} at the gateway, {refund.money} in {refund}.")
    if news.fact == Fact.PENDING or refund.status == news.fact.upper():
        return AGREED
    if refund.status in (Refund.Status.PENDING, Refund.Status.PROCESSING):
        return _ask_soon(Refund.objects.filter(pk=refund.pk), refund)
    return _contradiction(f"{refund} is {refund.status}, and {news.fact} at the gateway.")


def _hear_of_all_refunds(gateway: Gateway, news: RefundedNews) -> Verdict | Later:
    if not news.payment.key:
        return _NOT_OURS
    payment = _payment_of(gateway, news.payment)
    if payment is None:
        return _UNKNOWN
    if news.money.currency != payment.currency or news.money.amount > payment.amount_refunded:
        return _contradiction(f"{news.money} of {payment} was refunded; not all of it by us.")
    refunds = Refund.objects.filter(payment=payment)
    done = refunds.filter(status=Refund.Status.SUCCEEDED).aggregate(sum=Sum("amount"))["sum"] or 0
    return AGREED if news.money.amount <= done else _ask_soon(refunds, payment)


def _hear_of_dispute(gateway: Gateway, news: DisputeNews) -> Verdict | Later:
    payment = _payment_of(gateway, news.payment)
    if payment is None:
        return _UNKNOWN
    if payment.status in _MAY_STILL_AGREE[Fact.SUCCEEDED]:
        return _ask_soon(Payment.objects.filter(pk=payment.pk), payment)
    actor = Actor.system(f"gateway {gateway.code}")
    try:
        _bring_up_to_date(_dispute_of(payment, news, actor), news, actor)
    except DomainError as refusal:
        return _contradiction(refusal.message)
    return Verdict(GatewayEvent.Status.PROCESSED, f"The dispute is {news.fact}, or was by then.")


def _dispute_of(payment: Payment, news: DisputeNews, actor: Actor) -> Dispute:
    """The dispute of this name; else the one a report told of first; else a new one."""
    lock_payment(payment.pk)
    disputes = Dispute.objects.filter(
        payment=payment, amount=news.money.amount, currency=news.money.currency
    )
    # A report names a dispute by its line, `source:line:occurrence`; no gateway writes colons.
    reported = disputes.filter(reference__contains=":").first()
    if reported is not None and not Dispute.objects.filter(reference=news.reference).exists():
        return reported
    notice = DisputeNotice(payment, news.reference, news.money, news.at)
    return open_dispute(notice, actor=actor)


def _bring_up_to_date(dispute: Dispute, news: DisputeNews, actor: Actor) -> None:
    is_over = not Dispute.TRANSITIONS[Dispute.Status(dispute.status)]
    match news.fact:
        case DisputeFact.WON:
            win_dispute(dispute, effective_at=news.at, actor=actor)
        case DisputeFact.LOST:
            lose_dispute(dispute, actor=actor)
        case DisputeFact.UNDER_REVIEW if not is_over:
            review_dispute(dispute, actor=actor)


def _payment_of(gateway: Gateway, about: About) -> Payment | None:
    payments = Payment.objects.filter(gateway=gateway).select_related("merchant", "gateway")
    if about.key:
        return payments.filter(public_id=about.key).first()
    if about.gateway_reference:
        return payments.filter(gateway_reference=about.gateway_reference).first()
    return None


def _ask_soon(rows: QuerySet[Row], subject: Payment | Refund) -> Later:
    """Rows that wait for a later attempt are due now; those a worker may hold are left to it."""
    now = timezone.now()
    rows.filter(due_at__gt=now, holder__isnull=True).update(due_at=now)
    why = f"Waits for {subject}."
    return Later(why, GatewayEvent.Status.FAILED, UNSETTLED_ATTEMPTS_MAX)


def _contradiction(why: str) -> Verdict:
    return Verdict(GatewayEvent.Status.FAILED, why)
