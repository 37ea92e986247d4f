"""What the gateways are asked about payments and refunds that are due."""

import time
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from prometheus_client import Counter, Histogram

from ledger import sql
from ledger.money import Money
from payments import gateways
from payments.errors import NoGateway
from payments.gateways.base import (
    Accepted,
    Action,
    Declined,
    Gateway,
    GatewayRequest,
    Outcome,
    Unanswered,
)
from payments.models import GatewayAttempt, Payment, Refund

CALL_MILLISECONDS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)

gateway_answers = Counter(
    "tieout_gateway_answers_total",
    "Requests to gateways, by answer; never_seen: asked about, and the gateway knows nothing.",
    ["gateway", "answer"],
)
gateway_seconds = Histogram(
    "tieout_gateway_seconds",
    "How long gateways took for a call with a batch of requests, by each answer it brought.",
    ["gateway", "answer"],
    buckets=[milliseconds / 1_000 for milliseconds in CALL_MILLISECONDS],
)


def action_of(payment: Payment) -> Action | None:
    """What its gateway is to do next; None: nothing, an authorisation waits or has run out."""
    if payment.status != Payment.Status.AUTHORIZED:
        is_manual = payment.capture == Payment.Capture.MANUAL
        return Action.AUTHORIZE if is_manual else Action.CHARGE
    if payment.amount_to_capture is not None:
        return Action.CAPTURE
    if payment.cancel_requested_at is not None:
        return Action.CANCEL
    return None


def request_for(row: Payment | Refund) -> GatewayRequest | None:
    """What to ask for; the same on every attempt. None: nothing."""
    if isinstance(row, Refund):
        return GatewayRequest(
            key=row.public_id,
            action=Action.REFUND,
            money=row.money,
            source=row.payment.source,
            merchant=row.merchant.code,
            reference=row.reference,
            parent_reference=row.payment.reference,
            parent_gateway_reference=row.payment.gateway_reference,
        )
    match action_of(row):
        case None:
            return None
        case Action.CAPTURE:
            assert row.amount_to_capture is not None
            money = Money(row.amount_to_capture, row.currency)
            # Another amount, after a capture was declined, is another request.
            return _about_authorisation(row, Action.CAPTURE, money, f"capture:{money.amount}")
        case Action.CANCEL:
            return _about_authorisation(row, Action.CANCEL, row.money, "cancel")
        case action:
            return GatewayRequest(
                key=row.public_id,
                action=action,
                money=row.money,
                source=row.source,
                merchant=row.merchant.code,
                reference=row.reference,
            )


def _about_authorisation(
    payment: Payment, action: Action, money: Money, name: str
) -> GatewayRequest:
    return GatewayRequest(
        key=f"{payment.public_id}:{name}",
        action=action,
        money=money,
        source=payment.source,
        merchant=payment.merchant.code,
        reference=payment.reference,
        parent_reference=payment.reference,
        parent_gateway_reference=payment.gateway_reference,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway said about one row, and how it was asked."""

    outcome: Outcome
    gateway: str
    action: Action
    is_enquiry: bool  # only asked what became of an earlier attempt
    asked_at: datetime
    milliseconds: int  # until its whole batch was answered


def ask(rows: Sequence[Payment | Refund]) -> dict[int, Answer]:
    """The gateways' answers by row id. A row tried before is looked up first."""
    by_gateway = defaultdict(list)
    for row in rows:
        payment = row if isinstance(row, Payment) else row.payment
        if request := request_for(row):
            by_gateway[payment.gateway].append((row, request))
    answers: dict[int, Answer] = {}
    for record, asked in by_gateway.items():
        try:
            gateway = gateways.adapter_for(record)
        except NoGateway as problem:
            gateway = _NoAdapter(problem.code)
        tried = [(row, request) for row, request in asked if row.attempts > 1]
        found = _put(record.code, gateway.look_up, tried, is_enquiry=True)
        answers.update(found)
        new = [(row, request) for row, request in asked if row.pk not in found]
        answers.update(_put(record.code, gateway.perform, new, is_enquiry=False))
    return answers


def _put(
    code: str,
    question: Callable[[Sequence[GatewayRequest]], Sequence[Outcome | None]],
    asked: Sequence[tuple[Payment | Refund, GatewayRequest]],
    *,
    is_enquiry: bool,
) -> dict[int, Answer]:
    """One call for a whole batch; the answers it gave, by row id."""
    if not asked:
        return {}
    asked_at, started = timezone.now(), time.monotonic()
    outcomes = question([request for _, request in asked])
    milliseconds = int(1000 * (time.monotonic() - started))
    _count(code, outcomes, milliseconds)
    return {
        row.pk: Answer(outcome, code, request.action, is_enquiry, asked_at, milliseconds)
        for (row, request), outcome in zip(asked, outcomes, strict=True)
        if outcome is not None
    }


def _count(code: str, outcomes: Sequence[Outcome | None], milliseconds: int) -> None:
    found = Tally("never_seen" if each is None else _ANSWERS[type(each)] for each in outcomes)
    for answer, count in found.items():
        gateway_answers.labels(code, answer).inc(count)
        gateway_seconds.labels(code, answer).observe(milliseconds / 1_000)


class _NoAdapter(Gateway):
    """Stands in for a gateway that cannot be asked at present."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        return [Unanswered(self.reason) for _ in requests]

    def look_up(self, requests: Sequence[GatewayRequest]) -> list[Outcome | None]:
        return [Unanswered(self.reason) for _ in requests]


def note_attempts(rows: Sequence[Payment | Refund], answers: dict[int, Answer]) -> None:
    """Keep what was asked and answered about these rows, for whoever wonders later."""
    asked = [(row, answers[row.pk]) for row in rows if row.pk in answers]
    if not asked:
        return
    sql.execute(
        "payments",
        "write_gateway_attempts",
        gateways=[answer.gateway for _, answer in asked],
        subjects=[row.public_id for row, _ in asked],
        numbers=[row.attempts for row, _ in asked],
        actions=[answer.action for _, answer in asked],
        are_enquiries=[answer.is_enquiry for _, answer in asked],
        asked_ats=[answer.asked_at for _, answer in asked],
        milliseconds=[answer.milliseconds for _, answer in asked],
        answers=[_ANSWERS[type(answer.outcome)] for _, answer in asked],
        details=[_detail_of(answer.outcome) for _, answer in asked],
    )


_ANSWERS = {
    Accepted: GatewayAttempt.Answer.ACCEPTED.value,
    Declined: GatewayAttempt.Answer.DECLINED.value,
    Unanswered: GatewayAttempt.Answer.UNANSWERED.value,
}


def _detail_of(outcome: Outcome) -> str:
    match outcome:
        case Accepted(gateway_reference=reference):
            return reference[:255]
        case Declined(code=code):
            return code
        case Unanswered(reason=reason):
            return reason[:255]


def look_up(row: Payment | Refund) -> Outcome | None:
    """What became of what its gateway was asked; None: nothing, it never saw it."""
    payment = row if isinstance(row, Payment) else row.payment
    request = request_for(row)
    if request is None:
        return None
    try:
        (answer,) = gateways.adapter_for(payment.gateway).look_up([request])
    except NoGateway as problem:
        return Unanswered(problem.code)
    return answer
