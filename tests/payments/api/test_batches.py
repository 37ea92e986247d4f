"""POST /payments/batch: each payment with its own key and its own answer."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.money import Money
from payments.api.conventions import render_json
from payments.api.payment_shapes import render_new_payment
from payments.models import IdempotencyKey, Merchant, Payment
from payments.representations import represent_payment
from payments.services.payments import PaymentWish, draft_of
from payments.services.processing import process_payments
from tests.factories import ACTOR, PaymentFactory, eur
from tests.support.api import Api, assert_problem


def wish(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "amount": "100.00",
        "currency": "EUR",
        "source": "tok_visa",
        "idempotency_key": key,
        **fields,
    }


def send(api: Api, *wishes: Any, key: str | None = None) -> list[dict[str, Any]]:
    response = api.post("/payments/batch", {"payments": list(wishes)}, key=key)
    assert response.status_code == 202, response.content
    return response.json()["results"]


def test_batch_answers_every_payment_in_order(api: Api) -> None:
    results = send(
        api,
        wish("k1", reference="order-1", capture="manual", metadata={"cart": "7"}),
        wish("k2", amount=5000),
        wish("k3", amount="1500", currency="JPY", metadata={"cart": "8"}),
    )

    assert [result["status"] for result in results] == [202, 422, 202]
    assert results[1]["error"]["code"] == "amount_ambiguous"
    assert Payment.objects.filter(reference="order-1", capture="manual").count() == 1
    assert Payment.objects.filter(currency="JPY", capture="automatic").count() == 1
    first, third = results[0]["payment"], results[2]["payment"]
    assert (first["status"], first["amount"], first["metadata"]) == (
        "PENDING",
        "100.00",
        {"cart": "7"},
    )
    assert (first["capture"], third["amount"]) == ("manual", "1500")
    assert api.get(f"/payments/{third['id']}").json() == third
    assert process_payments() == 2


def test_answer_of_each_payment_is_that_of_a_request_of_its_own(api: Api) -> None:
    (one,) = send(api, wish("k1", description="Order #1"))
    other = api.pay(description="Order #1").json()

    own = {"id", "reference", "created_at", "updated_at"}
    assert one["payment"].keys() == other.keys()
    assert {name: one["payment"][name] for name in other.keys() - own} == {
        name: other[name] for name in other.keys() - own
    }


WISHES = st.builds(
    PaymentWish,
    money=st.builds(Money, st.integers(1, 10**15), st.sampled_from(["EUR", "JPY", "BHD"])),
    source=st.text(min_size=1, max_size=80),
    reference=st.text(max_size=80),
    description=st.text(max_size=255),
    metadata=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    capture=st.sampled_from(["automatic", "manual"]),
)


@given(wishes=st.lists(WISHES, min_size=1, max_size=4))
@example(wishes=[PaymentWish(eur("1.00"), '100 % "sure" %s', description="\u2028 \\ {}")])
def test_new_payments_are_rendered_as_any_other(wishes: list[PaymentWish]) -> None:
    merchant = Merchant(public_id="mer_1")
    for wish in wishes:
        payment = draft_of(merchant, wish, idempotency_key="k", actor=ACTOR)
        assert render_new_payment(payment) == render_json(represent_payment(payment))


@pytest.mark.parametrize(
    ("item", "status", "code"),
    [
        (wish("k", amount="0.00"), 422, "amount_out_of_range"),
        (wish("k", amount="1e2"), 422, "invalid_amount"),
        (wish("k", currency=None), 422, "invalid_request"),
        (wish("k", capture="later"), 422, "invalid_request"),
        (wish("k", merchant_id="somebody"), 404, "merchant_not_found"),
        (wish(""), 400, "idempotency_key_invalid"),
        (wish("k" * 256), 400, "idempotency_key_invalid"),
        (wish("k", idempotency_key=7), 400, "idempotency_key_invalid"),
        (
            {"amount": "1.00", "currency": "EUR", "source": "tok_visa"},
            400,
            "idempotency_key_missing",
        ),
        ("tok_visa", 422, "invalid_request"),
        (None, 422, "invalid_request"),
    ],
)
def test_what_is_wrong_with_one_does_not_concern_the_others(
    api: Api, item: Any, status: int, code: str
) -> None:
    before, refused, after = send(api, wish("a"), item, wish("z"))

    assert (before["status"], after["status"]) == (202, 202)
    assert (refused["status"], refused["error"]["code"]) == (status, code)
    assert refused["error"]["status"] == status
    assert Payment.objects.count() == IdempotencyKey.objects.count() == 2


def test_batch_sent_again_is_replayed(api: Api) -> None:
    first = send(api, wish("k1"), wish("k2"))

    again = send(api, wish("k2"), wish("k3"), wish("k1"))

    assert [result.get("replayed", False) for result in again] == [True, False, True]
    assert [again[2]["payment"], again[0]["payment"]] == [result["payment"] for result in first]
    assert Payment.objects.count() == 3


def test_payment_sent_alone_and_again_in_a_batch_is_a_replay(api: Api, shop: Merchant) -> None:
    alone = api.pay(key="k1", reference="order-1").json()
    process_payments()

    same, other = send(api, wish("k1", reference="order-1"), wish("k1", reference="order-2"))

    assert same == {"status": 202, "payment": alone, "replayed": True}
    assert (other["status"], other["error"]["code"]) == (422, "idempotency_key_reused")
    assert Payment.objects.count() == 1


def test_key_that_comes_twice_in_a_batch_is_one_payment(api: Api) -> None:
    first, same, other = send(api, wish("k1"), wish("k1"), wish("k1", amount="100.01"))

    assert (first["status"], "replayed" in first) == (202, False)
    assert same == {**first, "replayed": True}
    assert other["error"]["code"] == "idempotency_key_reused"
    assert Payment.objects.count() == 1


def test_reference_is_taken_once_within_a_batch_and_beyond(api: Api, shop: Merchant) -> None:
    PaymentFactory(merchant=shop, reference="order-0")

    results = send(
        api,
        wish("k0", reference="order-0"),
        wish("k1", reference="order-1"),
        wish("k2", reference="order-1"),
        wish("k3", reference="order-3"),
    )

    assert [result["status"] for result in results] == [409, 202, 409, 202]
    assert {results[0]["error"]["code"], results[2]["error"]["code"]} == {"duplicate_reference"}
    assert Payment.objects.count() == 3
    assert IdempotencyKey.objects.count() == 2


def test_refused_payment_does_not_burn_its_key(api: Api) -> None:
    send(api, wish("k1", amount="0.001"))

    (result,) = send(api, wish("k1"))

    assert (result["status"], "replayed" in result) == (202, False)


def test_batch_may_have_a_key_of_its_own(api: Api) -> None:
    body = {"payments": [wish("k1"), wish("k2", amount="0")]}
    first = api.post("/payments/batch", body, key="batch-1")

    again = api.post("/payments/batch", body, key="batch-1")
    other = api.post("/payments/batch", {"payments": [wish("k3")]}, key="batch-1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert_problem(other, 422, "idempotency_key_reused")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"payments": []}, {"payments": {}}, {"payments": None}, {"payment": [wish("k1")]}],
)
def test_batch_that_is_none_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert_problem(api.post("/payments/batch", body, key=None), 422, "invalid_request")


def test_batch_has_a_thousand_payments_at_most(api: Api) -> None:
    too_many = {"payments": [wish(f"k{number}") for number in range(1_001)]}

    assert_problem(api.post("/payments/batch", too_many, key=None), 422, "invalid_request")
    assert not Payment.objects.exists()


def test_thousand_payments_take_as_many_statements_as_ten(api: Api) -> None:
    send(api, wish("warm"))

    with CaptureQueriesContext(connection) as few:
        send(api, *[wish(f"few-{number}") for number in range(10)])
    with CaptureQueriesContext(connection) as many:
        results = send(api, *[wish(f"many-{number}") for number in range(1_000)])

    assert len(many) == len(few)
    assert len({result["payment"]["id"] for result in results}) == 1_000
    assert Payment.objects.filter(amount=eur("100.00").amount).count() == 1_011


def test_same_key_of_another_shop_is_another_payment(api: Api) -> None:
    stranger = PaymentFactory(idempotency_key="k1")

    (result,) = send(api, wish("k1"))

    assert "replayed" not in result
    assert result["payment"]["id"] != stranger.public_id


def test_card_number_in_one_payment_refuses_the_whole_batch(api: Api) -> None:
    body = {"payments": [wish("k1"), wish("k2", description="4111111111111111")]}

    response = api.post("/payments/batch", json.dumps(body), key=None)

    assert_problem(response, 422, "card_number_refused")
    assert not Payment.objects.exists()
