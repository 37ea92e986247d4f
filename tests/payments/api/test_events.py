"""/events: what happened, as it was told."""

from datetime import timedelta

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from payments.event_types import EVENT_TYPES
from payments.events import Fact, tell
from payments.models import ApiKey, Event, Merchant
from payments.models.events import KEPT_FOR
from payments.services.processing import process_payments
from tests.factories import ApiKeyFactory, MerchantFactory, PaymentFactory
from tests.support.api import Api, assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


def api_of(merchant: Merchant, *more: str) -> Api:
    scopes = [ApiKey.Scope.EVENTS_READ, ApiKey.Scope.PAYMENTS_READ, *more]
    return Api(ApiKeyFactory(merchant=merchant, scopes=scopes).secret)


def tell_of(merchant: Merchant | None, *names: str, subject: str = "pay_1") -> None:
    owner = merchant and merchant.pk
    tell([Fact(name, subject, owner, {"id": subject}) for name in names], at=timezone.now())


def types(api: Api, **query: str) -> list[str]:
    response = api.get("/events", **query)
    assert response.status_code == 200, response.content
    return [event["type"] for event in response.json()["results"]]


def test_event_carries_its_subject_as_the_api_showed_it_then(merchant: Merchant) -> None:
    api = api_of(merchant)
    payment = PaymentFactory(merchant=merchant)
    process_payments()

    (shown,) = api.get("/events").json()["results"]

    assert shown == {
        "id": Event.objects.get().public_id,
        "type": "payment.succeeded",
        "timestamp": shown["data"]["updated_at"],
        "merchant_id": merchant.public_id,
        "subject_id": payment.public_id,
        "sequence": 1,
        "data": api.get(f"/payments/{payment.public_id}").json(),
    }
    assert api.get(f"/events/{shown['id']}").json() == shown


def test_list_is_filtered_by_name_family_and_subject(merchant: Merchant) -> None:
    api = api_of(merchant)
    tell_of(merchant, "dispute.opened", "dispute.won", subject="dp_1")
    tell_of(merchant, "payment.failed")

    assert types(api) == ["payment.failed", "dispute.won", "dispute.opened"]
    assert types(api, type="*") == types(api)
    assert types(api, type="dispute.*") == ["dispute.won", "dispute.opened"]
    assert types(api, type="dispute.won") == ["dispute.won"]
    assert types(api, subject="pay_1") == ["payment.failed"]
    assert types(api, subject="pay_1", type="dispute.*") == []
    assert_problem(api.get("/events", type="dispute"), 400, "invalid_parameter")
    assert_problem(api.get("/events", status="x"), 400, "unknown_parameter")


def test_list_is_filtered_by_time_and_goes_on_by_cursor(merchant: Merchant) -> None:
    api = api_of(merchant)
    tell_of(merchant, "dispute.opened", "dispute.won", subject="dp_1")
    middle = (timezone.now() + timedelta(seconds=1)).isoformat()
    first, second = Event.objects.order_by("pk")
    Event.objects.filter(pk=second.pk).update(created_at=timezone.now() + timedelta(seconds=2))

    assert types(api, created_from=middle) == ["dispute.won"]
    assert types(api, created_before=middle) == ["dispute.opened"]
    page = api.get("/events", limit="1", type="dispute.*").json()
    rest = api.get("/events", limit="1", type="dispute.*", cursor=page["next_cursor"]).json()
    assert [each["id"] for each in page["results"] + rest["results"]] == [
        second.public_id,
        first.public_id,
    ]
    assert rest["has_more"] is False


def test_list_goes_on_behind_the_newest_event_that_is_known(merchant: Merchant) -> None:
    api = api_of(merchant)
    tell_of(merchant, "dispute.opened", "payment.failed", "dispute.won")
    tell_of(MerchantFactory(), "payment.failed")
    opened, failed, won, others = (event.public_id for event in Event.objects.order_by("pk"))

    assert types(api, after=opened) == ["dispute.won", "payment.failed"]
    assert types(api, after=opened, type="dispute.*") == ["dispute.won"]
    assert types(api, after=won) == []
    page = api.get("/events", limit="1", after=opened).json()
    rest = api.get("/events", limit="1", after=opened, cursor=page["next_cursor"]).json()
    assert [each["id"] for each in page["results"] + rest["results"]] == [won, failed]
    assert rest["has_more"] is False
    stolen = api.get("/events", after=failed, cursor=page["next_cursor"])
    assert_problem(stolen, 400, "invalid_cursor")
    for unknown in (others, "evt_1", ""):
        assert_problem(api.get("/events", after=unknown), 400, "invalid_parameter")


def test_events_are_shown_for_ninety_days(merchant: Merchant) -> None:
    """Also the last one of what is not over, which the purge leaves."""
    api = api_of(merchant)
    tell_of(merchant, "dispute.opened")
    Event.objects.update(created_at=timezone.now() - KEPT_FOR)
    event = Event.objects.get()

    assert types(api) == []
    assert_problem(api.get(f"/events/{event.public_id}"), 404, "event_not_found")


def test_platforms_events_are_for_operators(merchant: Merchant) -> None:
    operator = api_of(MerchantFactory(), ApiKey.Scope.OPERATOR)
    tell_of(merchant, "payment.failed")
    tell_of(None, "reconciliation.completed", subject="run_1")
    run = Event.objects.get(merchant=None)

    assert types(api_of(merchant)) == ["payment.failed"]
    assert types(operator) == []
    assert types(operator, platform="true") == ["reconciliation.completed", "payment.failed"]
    assert operator.get(f"/events/{run.public_id}", platform="true").json()["merchant_id"] is None
    assert_problem(operator.get(f"/events/{run.public_id}"), 404, "event_not_found")
    refused = api_of(merchant).get("/events", platform="true")
    assert_problem(refused, 403, "permission_denied")


def test_every_event_is_a_webhook_of_the_openapi_page() -> None:
    page = SchemaGenerator().get_schema(request=None, public=True)

    assert list(page["webhooks"]) == list(EVENT_TYPES)
    for name, item in page["webhooks"].items():
        content = item["post"]["requestBody"]["content"]
        data = content["application/json"]["schema"]["allOf"][1]["properties"]["data"]
        shown, adds = page["components"]["schemas"][EVENT_TYPES[name].data], EVENT_TYPES[name].adds
        if adds:
            assert shown["properties"].keys() - data["properties"].keys() == adds
        else:
            assert data == {"$ref": f"#/components/schemas/{EVENT_TYPES[name].data}"}
