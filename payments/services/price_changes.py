"""Prices of a merchant: asked for by one person, in force once another one agrees."""

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from django.utils import timezone

from ledger.actors import Actor
from ledger.changes import Carrier, Payload
from ledger.errors import Invalid
from ledger.models import ChangeRequest
from ledger.services import audit
from ledger.services.changes import request_change
from payments.locks import lock_merchant
from payments.models import FeePlan, Merchant
from payments.services.fees import FeePlans
from payments.services.merchants import set_fee_plan


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a FeePlan; amounts are minor units."""

    basis_points: int
    fixed: int = 0
    minimum: int = 0
    maximum: int | None = None
    refund_policy: str = FeePlan.RefundPolicy.NONE
    dispute_fee: int = 0


def ask_for_prices(
    merchant: Merchant,
    prices: Prices,
    *,
    currency: str,
    method: str,
    valid_from: date,
    actor: Actor,
    reason: str,
) -> ChangeRequest:
    """Ask for these to be the merchant's prices from today or a later day on.

    Raises Invalid for a day that is over or prices that make no sense, FeePlanInUse for a day that
    has begun with others, and ReasonMissing.
    """
    payload = {
        "merchant": merchant.code,
        "currency": currency,
        "method": method,
        "valid_from": valid_from.isoformat(),
        **asdict(prices),
    }
    return request_change(PRICES, merchant.public_id, payload, actor=actor, reason=reason)


def _in_force(payload: Payload) -> Payload:
    merchant = _locked(payload)
    plan = FeePlans([merchant]).plan_for(
        merchant, payload["currency"], on=_day(payload), method=payload["method"]
    )
    return {} if plan is None else _shown(plan)


def _carry_out(change: ChangeRequest, actor: Actor) -> FeePlan:
    wish = change.payload
    if _day(wish) < timezone.now().date():
        raise Invalid(f"{wish['valid_from']} is over: prices hold from today or a later day on.")
    merchant = _locked(wish)
    plan = set_fee_plan(
        merchant,
        currency=wish["currency"],
        method=wish["method"],
        valid_from=_day(wish),
        set_by=change.requested_by,
        reason=change.reason,
        **{field.name: wish[field.name] for field in fields(Prices)},
    )
    audit.record(
        "fee_plan.set",
        merchant.public_id,
        actor=actor,
        reason=change.reason,
        before=change.in_force,
        after={"change": change.public_id, **_shown(plan)},
    )
    return plan


def _locked(payload: Payload) -> Merchant:
    return lock_merchant(Merchant.objects.only("pk").get(code=payload["merchant"]).pk)


def _day(payload: Payload) -> date:
    return date.fromisoformat(payload["valid_from"])


def _shown(plan: FeePlan) -> dict[str, Any]:
    names = ("currency", "method", *(each.name for each in fields(Prices)))
    return {"valid_from": str(plan.valid_from)} | {name: getattr(plan, name) for name in names}


PRICES = Carrier(
    app="payments",
    kind="feeplan",
    title="Prices of a merchant",
    seen_with="payments.view_feeplan",
    in_force=_in_force,
    carry_out=_carry_out,
)
