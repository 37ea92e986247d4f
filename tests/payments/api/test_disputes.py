"""GET /disputes and /disputes/{id}."""

import pytest
from django.utils.dateparse import parse_datetime

from payments.models import Dispute, Merchant
from payments.services.disputes import win_dispute
from tests.factories import ACTOR, DisputeFactory, SucceededPaymentFactory, eur
from tests.support.api import Api, assert_problem


@pytest.fixture
def dispute(shop: Merchant) -> Dispute:
    return DisputeFactory(payment__merchant=shop, reference="du_1", money=eur("40.00"))


def test_one_dispute_is_shown_with_every_field(api: Api, dispute: Dispute) -> None:
    body = api.get(f"/disputes/{dispute.public_id}").json()

    assert parse_datetime(body.pop("effective_at")) == dispute.effective_at
    assert parse_datetime(body.pop("created_at")) == dispute.created_at
    assert body == {
        "id": dispute.public_id,
        "payment_id": dispute.payment.public_id,
        "status": "OPEN",
        "amount": "40.00",
        "currency": "EUR",
        "fee": "0.00",
        "reference": "du_1",
    }


def test_disputes_are_listed_by_status_and_payment(
    api: Api, dispute: Dispute, shop: Merchant
) -> None:
    other = DisputeFactory(payment=SucceededPaymentFactory(merchant=shop))
    win_dispute(other, effective_at=other.effective_at, actor=ACTOR)
    DisputeFactory()

    def ids(**query: str) -> list[str]:
        return [found["id"] for found in api.get("/disputes", **query).json()["results"]]

    assert ids() == [other.public_id, dispute.public_id]
    assert ids(status="WON") == [other.public_id]
    assert ids(payment=dispute.payment.public_id) == [dispute.public_id]
    assert ids(status="WON", payment=dispute.payment.public_id) == []
    assert_problem(api.get("/disputes", status="SOLVED"), 400, "invalid_parameter")


def test_dispute_of_another_shop_is_not_there(api: Api) -> None:
    theirs = DisputeFactory()

    assert_problem(api.get(f"/disputes/{theirs.public_id}"), 404, "dispute_not_found")
    listed = api.get("/disputes", payment=theirs.payment.public_id).json()
    assert listed["results"] == []
