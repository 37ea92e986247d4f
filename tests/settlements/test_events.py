"""What is told of settlements and payouts."""

import json
from datetime import date

import pytest

from payments.models import Event
from settlements.models import Payout, SettlementBatch
from settlements.services.batches import run_settlement
from settlements.services.payouts import (
    Refusal,
    approve_payout,
    cancel_payout,
    mark_paid,
    mark_rejected,
)
from tests.factories import ACTOR, ApiKeyFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.api import Api
from tests.support.endpoints import endpoint, heard_by, told, told_about
from tests.support.payouts import CHECKER, MAKER, sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

DAY = date(2026, 3, 19)


def due(amount: str = "100.00") -> Payout:
    payment = SucceededPaymentFactory(money=eur(amount))
    run_settlement(payment.effective_at.date(), actor=ACTOR)
    return Payout.objects.select_related("merchant").latest("pk")


def test_closed_day_and_its_payout_are_told_as_the_api_shows_them() -> None:
    payout = due()
    api = Api(ApiKeyFactory(merchant=payout.merchant, scopes=["reports:read"]).secret)

    closed, created = Event.objects.exclude(type__startswith="payment.").order_by("pk")

    batch = api.get(f"/settlements/{payout.batch.public_id}").json()
    assert (closed.type, closed.merchant) == ("settlement.closed", payout.merchant)
    assert json.loads(closed.data) == batch
    assert batch["payout_id"] == payout.public_id
    assert (created.type, created.merchant) == ("payout.created", payout.merchant)
    assert json.loads(created.data) == api.get(f"/payouts/{payout.public_id}").json()


def test_day_that_pays_nothing_is_told_without_a_payout() -> None:
    payment = SucceededPaymentFactory(merchant=MerchantFactory(fees={"EUR": (10_000, 0)}))

    (batch,) = run_settlement(payment.effective_at.date(), actor=ACTOR)

    assert batch.payout_amount == 0
    assert told_about(batch.public_id) == [(1, "settlement.closed")]
    assert not Event.objects.filter(type__startswith="payout.").exists()
    run_settlement(payment.effective_at.date(), actor=ACTOR)
    assert told_about(batch.public_id) == [(1, "settlement.closed")]


def test_way_of_a_payout_to_the_bank_is_told() -> None:
    payout = due()
    sent([payout])
    mark_paid({payout.pk: DAY})

    assert told_about(payout.public_id) == [
        (1, "payout.created"),
        (2, "payout.approved"),
        (3, "payout.sent"),
        (4, "payout.paid"),
    ]
    data = [json.loads(event.data) for event in Event.objects.filter(subject=payout.public_id)]
    newest, *_ = data
    assert (newest["status"], newest["paid_on"]) == ("PAID", "2026-03-19")
    assert {each["bank_account"] for each in data} == {None, "NL…4300"}


def test_payout_the_bank_refused_and_the_one_in_its_place_are_told() -> None:
    payout = due()
    sent([payout])

    (again,) = mark_rejected([Refusal(payout.pk, "AC04", "closed")], actor=MAKER)

    assert told_about(payout.public_id)[-1] == (4, "payout.rejected")
    assert told_about(again.public_id) == [(1, "payout.created")]
    rejected = Event.objects.get(type="payout.rejected")
    assert json.loads(rejected.data)["failure_code"] == "AC04"


def test_canceled_payout_is_told_and_a_refusal_to_cancel_is_not() -> None:
    payout = due()

    cancel_payout(payout, actor=CHECKER, reason="Asked for.")

    assert told_about(payout.public_id) == [(1, "payout.created"), (2, "payout.canceled")]
    with pytest.raises(Exception, match="cannot become"):
        approve_payout(payout, actor=CHECKER)
    assert len(told_about(payout.public_id)) == 2


def test_many_merchants_are_told_at_once_each_of_its_own() -> None:
    shops = [MerchantFactory() for _ in range(3)]
    listeners = [endpoint(shop, "settlement.*", "payout.*") for shop in shops]
    for shop in shops:
        payment = SucceededPaymentFactory(merchant=shop, money=eur("10.00"))

    run_settlement(payment.effective_at.date(), actor=ACTOR)

    assert SettlementBatch.objects.count() == 3
    for listener in listeners:
        assert heard_by(listener) == ["settlement.closed", "payout.created"]
    assert len(told(type="payout.created")) == 3
