"""Two people decide on the same change at once: one of them did."""

import pytest
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import AuditEvent, ChangeRequest
from ledger.services.changes import approve_change, refuse_change
from payments.models import FeePlan
from payments.services.price_changes import Prices, ask_for_prices
from tests.factories import MerchantFactory
from tests.support.races import run_together

pytestmark = pytest.mark.django_db(transaction=True)

ANN, BOB, EVE = (Actor("user", str(number), f"{number}@example.com") for number in range(3))


def test_of_two_decisions_at_once_one_counts() -> None:
    change = ask_for_prices(
        MerchantFactory(),
        Prices(190),
        currency="EUR",
        method="visa",
        valid_from=timezone.now().date(),
        actor=ANN,
        reason="New contract.",
    )

    outcomes = run_together(
        lambda: approve_change(change, actor=BOB, reason="Agreed."),
        lambda: refuse_change(change, actor=EVE, reason="No."),
    )

    assert {type(each) for each in outcomes} == {ChangeRequest, InvalidTransition}
    change.refresh_from_db()
    is_applied = change.status == ChangeRequest.Status.APPLIED
    assert FeePlan.objects.filter(method="visa").count() == int(is_applied)
    decided = AuditEvent.objects.filter(subject=change.public_id).exclude(action__endswith="ested")
    assert decided.count() == 1
