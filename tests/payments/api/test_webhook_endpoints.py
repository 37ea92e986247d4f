"""/webhook-endpoints: where events are sent, and how that went."""

from typing import Any

import pytest
from django.utils import timezone

from ledger.models import AuditEvent
from payments.events import Fact, tell
from payments.models import ApiKey, Merchant, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.services.webhook_secrets import unseal
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.api import Api, assert_problem
from tests.support.endpoints import URL, endpoint

pytestmark = pytest.mark.django_db

WISH = {"url": URL, "event_types": ["payment.*"]}


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


@pytest.fixture
def api(merchant: Merchant) -> Api:
    return api_of(merchant)


def api_of(merchant: Merchant, *more: str) -> Api:
    scopes = [ApiKey.Scope.EVENTS_READ, ApiKey.Scope.WEBHOOKS_WRITE, *more]
    return Api(ApiKeyFactory(merchant=merchant, scopes=scopes).secret)


def send(api: Api, method: str, path: str, body: Any = None) -> Any:
    call = getattr(api.client, method)
    return call(f"/api/v1{path}", body, content_type="application/json", headers=api.authorization)


def failed_delivery(merchant: Merchant) -> WebhookDelivery:
    tell([Fact("payment.failed", "pay_1", merchant.pk, {})], at=timezone.now())
    delivery = WebhookDelivery.objects.latest("pk")
    delivery.status, delivery.due_at, delivery.tries = "FAILED", None, 2
    delivery.save()
    for number, status in ((1, None), (2, 500)):
        WebhookAttempt.objects.create(
            delivery=delivery,
            number=number,
            asked_at=timezone.now(),
            milliseconds=number * 7,
            status_code=status,
            error="" if status else "timeout",
            answer="busy" if status else "",
        )
    return delivery


def test_secret_is_shown_at_creation_and_never_again(api: Api, merchant: Merchant) -> None:
    response = api.post("/webhook-endpoints", {**WISH, "description": "shop"})

    made, row = response.json(), WebhookEndpoint.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/api/v1/webhook-endpoints/{row.public_id}"
    assert response["Cache-Control"] == "no-store"
    assert made.pop("secret") == unseal(row.secret)
    assert {name: made[name] for name in ("id", "merchant_id", "url", "status", "event_types")} == {
        "id": row.public_id,
        "merchant_id": merchant.public_id,
        "url": URL,
        "status": "ENABLED",
        "event_types": ["payment.*"],
    }
    assert api.get(f"/webhook-endpoints/{row.public_id}").json() == made
    assert api.get("/webhook-endpoints").json()["results"] == [made]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"url": "http://169.254.169.254/"}, "endpoint_url_refused"),
        ({"url": "https://u:p@example.com/"}, "endpoint_url_refused"),
        ({"event_types": []}, "invalid_request"),
        ({"event_types": ["pay.*"]}, "invalid_request"),
        ({"event_types": "*"}, "invalid_request"),
        ({"merchant": "x"}, "unknown_field"),
    ],
    ids=str,
)
def test_bad_wish_is_refused_and_makes_nothing(api: Api, wish: Any, code: str) -> None:
    assert_problem(api.post("/webhook-endpoints", {**WISH, **wish}), 422, code)

    assert not WebhookEndpoint.objects.exists()


def test_twenty_first_is_a_conflict(api: Api, merchant: Merchant) -> None:
    for _ in range(20):
        endpoint(merchant)

    assert_problem(api.post("/webhook-endpoints", WISH), 409, "too_many_webhook_endpoints")


def test_change_is_of_what_was_sent(api: Api, merchant: Merchant) -> None:
    path = f"/webhook-endpoints/{endpoint(merchant).public_id}"

    changed = send(api, "patch", path, {"description": "new", "event_types": ["*"]}).json()
    refused = send(api, "patch", path, {"url": "https://10.0.0.1/"})

    assert (changed["url"], changed["description"], changed["event_types"]) == (URL, "new", ["*"])
    assert_problem(refused, 422, "endpoint_url_refused")
    assert send(api, "patch", path, {}).json() == changed


def test_life_of_an_endpoint(api: Api, merchant: Merchant) -> None:
    path = f"/webhook-endpoints/{endpoint(merchant).public_id}"
    before = WebhookEndpoint.objects.get().secret

    off = api.post(f"{path}/disable", {"reason": "Moving."}).json()
    on = api.post(f"{path}/enable", {}).json()
    rotated = api.post(f"{path}/rotate-secret", {"overlap_hours": 1})
    assert (off["status"], off["disabled_reason"]) == ("DISABLED", "Moving.")
    assert (on["status"], on["disabled_reason"]) == ("ENABLED", None)
    row = WebhookEndpoint.objects.get()
    assert rotated["Cache-Control"] == "no-store"
    assert rotated.json()["secret"] == unseal(row.secret) != unseal(before)
    assert row.previous_secret == before
    too_long = api.post(f"{path}/rotate-secret", {"overlap_hours": 169})
    assert_problem(too_long, 422, "invalid_request")

    assert send(api, "delete", path).status_code == 204
    assert_problem(api.get(path), 404, "webhook_endpoint_not_found")
    assert_problem(send(api, "delete", path), 404, "webhook_endpoint_not_found")
    trail = AuditEvent.objects.filter(subject=row.public_id, actor_kind="api_key")
    assert list(trail.order_by("pk").values_list("action", flat=True)) == [
        "webhook_endpoint.disabled",
        "webhook_endpoint.enabled",
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint.removed",
    ]


def test_deliveries_are_shown_with_their_attempts(api: Api, merchant: Merchant) -> None:
    path = f"/webhook-endpoints/{endpoint(merchant).public_id}/deliveries"
    delivery = failed_delivery(merchant)

    (listed,) = api.get(path, status="FAILED").json()["results"]
    shown = api.get(f"{path}/{delivery.public_id}").json()

    assert listed["event_id"] == delivery.event.public_id
    assert (listed["event_type"], listed["tries"]) == ("payment.failed", 2)
    attempts = shown.pop("attempts")
    assert shown == listed
    named = ("number", "milliseconds", "status_code", "error", "answer")
    assert [tuple(each[name] for name in named) for each in attempts] == [
        (1, 7, None, "timeout", ""),
        (2, 14, 500, None, "busy"),
    ]
    assert api.get(path, status="PENDING").json()["results"] == []
    assert len(api.get(path, event=delivery.event.public_id).json()["results"]) == 1
    assert api.get(path, event="evt_x").json()["results"] == []
    assert_problem(api.get(path, status="x"), 400, "invalid_parameter")


def test_one_is_sent_again_and_a_range_is(api: Api, merchant: Merchant) -> None:
    path = f"/webhook-endpoints/{endpoint(merchant).public_id}"
    delivery = failed_delivery(merchant)

    retried = api.post(f"{path}/deliveries/{delivery.public_id}/retry", {})
    assert retried.status_code == 202
    assert (retried.json()["status"], retried.json()["tries"]) == ("PENDING", 0)
    replayed = api.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"})
    assert (replayed.status_code, replayed.json()) == (202, {"deliveries": 1})
    assert_problem(api.post(f"{path}/replay", {}), 422, "invalid_request")
    naive = api.post(f"{path}/replay", {"since": "2026-01-01T00:00:00"})
    assert_problem(naive, 422, "invalid_request")


def test_test_event_is_for_the_one_endpoint(api: Api, merchant: Merchant) -> None:
    asked, other = endpoint(merchant, "refund.*"), endpoint(merchant, "*")

    sent = api.post(f"/webhook-endpoints/{asked.public_id}/test", {})

    assert sent.status_code == 202
    assert sent.json()["event_type"] == "webhook.test"
    event = api.get(f"/events/{sent.json()['event_id']}").json()
    assert (event["subject_id"], event["data"]["id"]) == (asked.public_id, asked.public_id)
    assert not WebhookDelivery.objects.filter(endpoint=other).exists()


def test_platforms_endpoints_are_for_operators(api: Api, merchant: Merchant) -> None:
    operator = api_of(MerchantFactory(), ApiKey.Scope.OPERATOR)

    refused = api.post("/webhook-endpoints?platform=true", WISH)
    made = operator.post("/webhook-endpoints?platform=true", WISH).json()

    assert_problem(refused, 403, "permission_denied")
    assert made["merchant_id"] is None
    path = f"/webhook-endpoints/{made['id']}"
    assert_problem(operator.get(path), 404, "webhook_endpoint_not_found")
    assert operator.get(path, platform="true").json()["id"] == made["id"]
    assert operator.get("/webhook-endpoints").json()["results"] == []
    (listed,) = operator.get("/webhook-endpoints", platform="true").json()["results"]
    assert listed["id"] == made["id"]
    assert operator.post(f"{path}/disable?platform=true", {}).json()["status"] == "DISABLED"
