"""The express lane is only faster: whatever is asked, both ways end alike."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.api import express_lane, payment_shapes
from payments.api import payments as payments_api
from payments.models import ApiKey, IdempotencyKey, Payment
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
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=bodies)
def test_both_ways_end_alike(api: Api, body: dict[str, Any]) -> None:
    outcomes = []
    for lane in (express_lane.take_express_lane, lambda _: None):
        # Taken back after each: payments are never deleted.
        with pytest.MonkeyPatch.context() as patch, transaction.atomic():
            patch.setattr(payments_api, "take_express_lane", lane)
            if lane is not express_lane.take_express_lane:
                patch.setattr(payment_shapes, "plain_wish", lambda _: None)
            patch.setattr("payments.answers.recall", lambda *_: None)
            outcomes.append(what_happened(api.post("/payments", body, key="k")))
            transaction.set_rollback(True)

    assert outcomes[0] == outcomes[1]


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
