"""The express lane is only faster: whatever is asked, both ways end alike."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from config.express import ExpressLane
from payments.api import express_lane, payment_shapes
from payments.key_format import new_key
from payments.models import ApiKey, IdempotencyKey, Payment
from payments.rate_limits import RateClass, policy_of
from tests.support.api import Api

# Mostly right, with everything that may be wrong about a request somewhere.
TEXTS = st.sampled_from(
    [
        "tok_visa",
        "",
        " ",
        "a",
        " a",
        "x" * 81,
        "é",
        "4111 1111 1111 1111",
        "\u202e",
        "a\nb",
        7,
        None,
    ]
)
AMOUNTS = st.sampled_from(
    ["100.00", "100", "0.00", "-1.00", "1e2", "1.001", "１.00", 100, 100.5, None, "9" * 20, "", []]
)
CURRENCIES = st.sampled_from(["EUR", "JPY", "eur", "XXX", "", None, 3])
bodies = st.fixed_dictionaries(
    {
        "amount": st.one_of(st.just("100.00"), AMOUNTS),
        "currency": st.one_of(st.just("EUR"), CURRENCIES),
        "source": st.one_of(st.just("tok_visa"), TEXTS),
    },
    optional={
        "description": TEXTS,
        "reference": TEXTS,
        "metadata": st.sampled_from([{}, {"a": "b"}, {"a": 1}, [], "x", None]),
        "capture": st.sampled_from(["automatic", "manual", "later"]),
        "merchant_id": st.sampled_from(["shop", "nobody"]),
        "idempotencyKey": st.sampled_from(["k", "other"]),
        "status": st.just("SUCCEEDED"),
    },
)


def what_happened(response: HttpResponse) -> tuple[Any, ...]:
    """The answer and what is written, without what is new each time."""
    body = json.loads(response.content)
    for name in ("id", "created_at", "updated_at", "request_id"):
        body.pop(name, None)
    if body.get("reference", "").startswith("pay_"):
        body.pop("reference")
    rows = Payment.objects.values_list(
        "amount",
        "currency",
        "settlement_currency",
        "source",
        "description",
        "metadata",
        "status",
        "capture",
        "idempotency_key",
        "created_by",
        "gateway__code",
        "attempts",
        "fence",
        "fee",
        "amount_captured",
        "amount_refunded",
        "amount_to_capture",
        "is_settled_elsewhere",
    )
    kept = [bytes(key.body) == response.content for key in IdempotencyKey.objects.all()]
    return response.status_code, body, list(rows), kept


@pytest.mark.django_db
@examples(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=bodies)
def test_both_ways_end_alike(api: Api, body: dict[str, Any]) -> None:
    outcomes = []
    for is_ordinary in (False, True):
        # Taken back after each: payments are never deleted.
        with pytest.MonkeyPatch.context() as patch, transaction.atomic():
            if is_ordinary:
                go_the_ordinary_way(patch)
                patch.setattr(payment_shapes, "plain_wish", lambda _: None)
            patch.setattr("payments.answers.recall", lambda *_: None)
            outcomes.append(what_happened(api.post("/payments", body, key="k")))
            transaction.set_rollback(True)

    assert outcomes[0] == outcomes[1]


def go_the_ordinary_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ExpressLane, "answer", lambda *_: None)


@pytest.mark.django_db
@pytest.mark.parametrize("forwarded", ["", "http", "https"])
def test_both_ways_answer_with_the_same_headers(
    api: Api, forwarded: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 3600
    wish = {"amount": "100.00", "currency": "EUR", "source": "tok_visa"}
    headers = {**api.authorization, **({"X-Forwarded-Proto": forwarded} if forwarded else {})}

    def ask(key: str) -> dict[str, str]:
        response = api.client.post(
            "/api/v1/payments",
            wish,
            content_type="application/json",
            headers={**headers, "Idempotency-Key": key},
        )
        assert response.status_code == 202
        assert response["Location"] == f"/api/v1/payments/{response.json()['id']}"
        own = {"Location", "Request-Id", "RateLimit"}  # another each time
        assert own <= set(response.headers)
        return {name: value for name, value in response.items() if name not in own}

    quick = ask("a")
    go_the_ordinary_way(monkeypatch)

    assert quick == ask("b")
    assert ("Strict-Transport-Security" in quick) == (forwarded == "https")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "text/html"}, 406),
        ({"Host": "elsewhere.example"}, 400),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Authorization": "Basic c2hvcDpzaG9w"}, 401),
        ({"Accept": "application/json, text/plain, */*"}, 202),
        ({"Client-Request-Id": "theirs"}, 202),
    ],
)
def test_headers_are_minded_on_the_lane_too(
    api: Api, headers: dict[str, str], status: int, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    wish = json.dumps({"amount": "100.00", "currency": "EUR", "source": "tok_visa"})
    asked = {**api.authorization, "Idempotency-Key": "k", **headers}
    content_type = asked.pop("Content-Type", "application/json")

    response = api.client.post("/api/v1/payments", wish, content_type=content_type, headers=asked)

    assert response.status_code == status
    assert Payment.objects.count() == (status == 202)


@pytest.mark.django_db
def test_nothing_is_taken_unencrypted_where_that_is_redirected(
    api: Api, settings: LazySettings
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert api.pay().status_code == 301
    assert Payment.objects.count() == 0


@pytest.mark.django_db
def test_request_that_leaves_the_lane_counts_once(
    api: Api, settings: LazySettings, request: pytest.FixtureRequest
) -> None:
    settings.RATE_LIMITS = dict.fromkeys(RateClass, "1000/1") | {"payments": "3/60"}
    policy_of.cache_clear()
    request.addfinalizer(policy_of.cache_clear)

    answers = [api.pay(source=source) for source in ("tok_visa", "", "tok_visa")]

    assert [answer.status_code for answer in answers] == [202, 422, 202]
    assert [answer["RateLimit"] for answer in answers] == [
        '"payments";r=2;t=20',
        '"payments";r=1;t=40',
        '"payments";r=0;t=60',
    ]


@pytest.mark.django_db
def test_both_ways_count_alike(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {"route": "/api/v1/payments", "method": "POST", "status": "202"}

    def counted() -> float:
        return REGISTRY.get_sample_value("tieout_http_requests_total", labels) or 0

    before = counted()
    api.pay()
    go_the_ordinary_way(monkeypatch)
    api.pay()

    assert counted() == before + 2


@pytest.mark.django_db
def test_failure_of_the_lane_is_none_of_the_payment(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it is; the ordinary way knows what to do."""
    monkeypatch.setattr(express_lane, "_keys", None)

    assert api.pay().status_code == 202
    assert "express_lane.failed" in caplog.text


@pytest.mark.django_db
def test_payment_is_taken_and_rung_for_if_the_use_of_its_key_cannot_be_noted(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    rung: list[str] = []
    monkeypatch.setattr(express_lane, "note_key_use", fail)
    monkeypatch.setattr(express_lane.doorbell, "ring", rung.append)

    answer = api.pay()

    assert (answer.status_code, "Idempotent-Replayed" in answer) == (202, False)
    assert rung == ["payments.tasks.process_payments"]
    assert "express_lane.key_use_not_noted" in caplog.text


def test_names_of_hosts_fill_no_memory(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    lane = ExpressLane(lambda environ, start: [])
    plain = {
        "PATH_INFO": "/api/v1/payments",
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "2",
        "HTTP_AUTHORIZATION": "Bearer x",
        "HTTP_IDEMPOTENCY_KEY": "k",
        "wsgi.url_scheme": "http",
    }

    assert lane._around({**plain, "HTTP_HOST": "testserver"}) is not None
    for host in ("", "evil.example", "x" * 300, "two words"):
        assert lane._around({**plain, "HTTP_HOST": host}) is None

    assert lane.headers_around.cache_info().currsize == 1


@pytest.mark.django_db
def test_plain_payment_is_one_statement(api: Api, statements: list[str]) -> None:
    api.pay()
    statements.clear()

    assert api.pay().status_code == 202

    assert [text for text in statements if "payments" in text.lower()] == [
        "-- Write payments down with their idempotency keys and answers, those that nothing speaks"
        " against."
    ]
    assert len(statements) <= 2  # the other asks whether the connection still lives


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_redis")
def test_request_over_the_limit_asks_the_database_nothing(
    api: Api, settings: LazySettings, statements: list[str], request: pytest.FixtureRequest
) -> None:
    settings.RATE_LIMITS = dict.fromkeys(RateClass, "1000/1") | {"global": "1/60"}
    policy_of.cache_clear()
    request.addfinalizer(policy_of.cache_clear)
    assert api.pay().status_code == 202
    statements.clear()

    assert Api(new_key()).pay().status_code == 429  # a key that nobody looked up before

    assert statements == []


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["revoked", "expired", "scope"])
def test_key_that_no_longer_counts_is_refused_at_once(api: Api, change: str) -> None:
    """The lane remembers whose key it is, never whether it counts."""
    assert api.pay().status_code == 202

    now = timezone.now()
    ApiKey.objects.update(
        **{
            "revoked": {"revoked_at": now},
            "expired": {"expires_at": now},
            "scope": {"scopes": ["payments:read"]},
        }[change]
    )

    assert api.pay().status_code == (403 if change == "scope" else 401)
    assert Payment.objects.count() == 1
