"""What the gateways are asked about payments and refunds that are due."""

from collections import defaultdict
from collections.abc import Sequence

from ledger.money import Money
from payments import gateways
from payments.errors import NoGateway
from payments.gateways.base import Action, GatewayRequest, Outcome, Unanswered
from payments.models import Payment, Refund


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


def ask(rows: Sequence[Payment | Refund]) -> dict[int, Outcome]:
    """The gateways' outcomes by row id. A row tried before is looked up first."""
    by_gateway = defaultdict(list)
    for row in rows:
        payment = row if isinstance(row, Payment) else row.payment
        if request := request_for(row):
            by_gateway[payment.gateway].append((row, request))
    outcomes: dict[int, Outcome] = {}
    for record, asked in by_gateway.items():
        try:
            gateway = gateways.adapter_for(record)
        except NoGateway as problem:
            outcomes.update((row.pk, Unanswered(problem.code)) for row, _ in asked)
            continue
        asked_before = [(row, request) for row, request in asked if row.attempts > 1]
        answers = gateway.look_up([request for _, request in asked_before])
        for (row, _), answer in zip(asked_before, answers, strict=True):
            if answer is not None:
                outcomes[row.pk] = answer
        unasked = [(row, request) for row, request in asked if row.pk not in outcomes]
        answered = gateway.perform([request for _, request in unasked])
        outcomes.update((row.pk, out) for (row, _), out in zip(unasked, answered, strict=True))
    return outcomes
