"""POST and GET /payments, as a merchant's developer sees them."""

import pytest
from django.utils.dateparse import parse_datetime

from payments.models import ApiKey, Merchant, Payment
from payments.services.processing import process_payments
from tests.factories import (
    ApiKeyFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.api import Api, assert_problem


def test_payment_is_accepted_with_every_field_of_the_contract(api: Api, shop: Merchant) -> None:
    response = api.pay(
        amount="100.00",
        description="Seven apples",
        reference="order-7",
        metadata={"basket": "7"},
    )

    payment, key = Payment.objects.get(), ApiKey.objects.get()
    body = response.json()
    assert response.status_code == 202
    assert response["Content-Type"] == "application/json"
    assert response["Location"] == f"/api/v1/payments/{payment.public_id}"
    assert "Idempotent-Replayed" not in response
    assert parse_datetime(body.pop("created_at")) == payment.created_at
    assert parse_datetime(body.pop("updated_at")) == payment.updated_at
    assert body == {
        "id": payment.public_id,
        "status": "PENDING",
        "amount": "100.00",
        "currency": "EUR",
        "capture": "automatic",
        "amount_captured": "0.00",
        "amount_refunded": "0.00",
        "fee": "0.00",
        "source": "tok_visa",
        "description": "Seven apples",
        "reference": "order-7",
        "failure_code": None,
        "failure_reason": None,
        "merchant_id": shop.public_id,
        "created_by": "api_key:web shop",
        "metadata": {"basket": "7"},
        "authorized_until": None,
    }
    assert key.public_id


def test_payment_shows_what_became_of_it(api: Api) -> None:
    paid, declined = api.pay().json(), api.pay(source="tok_declined").json()
    process_payments()

    paid_now = api.get(f"/payments/{paid['id']}").json()
    declined_now = api.get(f"/payments/{declined['id']}").json()

    assert (paid_now["status"], paid_now["amount_captured"], paid_now["fee"]) == (
        "SUCCEEDED",
        "100.00",
        "3.20",
    )
    assert (declined_now["status"], declined_now["amount_captured"], declined_now["fee"]) == (
        "FAILED",
        "0.00",
        "0.00",
    )
    assert (declined_now["failure_code"], declined_now["failure_reason"]) == (
        "card_declined",
        "The card was declined.",
    )


def test_refunds_show_on_their_payment(api: Api, shop: Merchant) -> None:
    refund = SucceededRefundFactory(payment__merchant=shop, money=eur("30.00"))

    body = api.get(f"/payments/{refund.payment.public_id}").json()

    assert (body["amount"], body["amount_captured"], body["amount_refunded"]) == (
        "100.00",
        "100.00",
        "30.00",
    )


@pytest.mark.parametrize("currency", ["eur", "XXX", "XTS", "BTC", "ZZZ", "U$D", "ЕUR"])
def test_unknown_currency_is_refused(api: Api, currency: str) -> None:
    assert_problem(api.pay(currency=currency), 422, "currency_unsupported")

    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "EURO"),
        ("currency", ""),
        ("source", ""),
        ("source", "t" * 81),
        ("source", ["tok_visa"]),
        ("description", "d" * 256),
        ("description", "nul \x00 byte"),
        ("description", "lone \ud800 surrogate"),
        ("reference", "r" * 81),
        ("reference", {"a": "b"}),
        ("metadata", "text"),
        ("metadata", ["list"]),
        ("metadata", {"deep": {"er": "x"}}),
        ("metadata", {"long": "x" * 501}),
        ("metadata", {"nul": "\x00"}),
        ("metadata", {"null": None}),
    ],
)
def test_field_that_is_not_valid_is_named(api: Api, field: str, value: object) -> None:
    response = api.pay(**{field: value})

    (error,) = response.json()["errors"]
    assert response.status_code == 422
    assert set(error) == {"pointer", "code", "detail"}
    assert error["pointer"].split("/")[1] == field
    assert not Payment.objects.exists()


def test_every_missing_field_is_named(api: Api) -> None:
    body = assert_problem(api.post("/payments", {}), 422, "invalid_request")

    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [
        ("#/amount", "required"),
        ("#/currency", "required"),
        ("#/source", "required"),
    ]


def test_metadata_comes_back_as_it_was_sent(api: Api) -> None:
    metadata = {"orderId": "7", "customer_note": "Grüße 🍎", "": "empty name", "n": "5000"}

    created = api.pay(metadata=metadata).json()

    assert created["metadata"] == metadata
    assert api.get(f"/payments/{created['id']}").json()["metadata"] == metadata


def test_names_are_read_in_camel_case_too(api: Api, shop: Merchant) -> None:
    wish = {
        "amount": "5.00",
        "currency": "EUR",
        "source": "tok_visa",
        "merchantId": "shop",
        "idempotencyKey": "camel-1",
        "metadata": {"orderId": "7"},
    }

    response = api.post("/payments", wish, key=None)

    assert (response.status_code, response.json()["merchant_id"]) == (202, shop.public_id)
    assert response.json()["metadata"] == {"orderId": "7"}
    assert Payment.objects.get().idempotency_key == "camel-1"


def test_field_in_both_spellings_is_refused(api: Api) -> None:
    wish = {"idempotency_key": "a", "idempotencyKey": "b"}

    assert_problem(api.pay(**wish), 400, "duplicate_key")


def test_payment_for_another_merchant_is_refused(api: Api) -> None:
    assert_problem(api.pay(merchant_id="mer_other"), 404, "merchant_not_found")

    assert not Payment.objects.exists()


@pytest.mark.parametrize("name", ["code", "public_id"])
def test_merchant_may_name_itself(api: Api, shop: Merchant, name: str) -> None:
    assert api.pay(merchant_id=getattr(shop, name)).status_code == 202


def test_reference_of_another_payment_is_a_conflict(api: Api) -> None:
    api.pay(reference="order-7")

    assert_problem(api.pay(reference="order-7"), 409, "duplicate_reference")


# --- Idempotency ---------------------------------------------------------------------------


def test_same_key_gives_the_same_answer_and_says_so(api: Api) -> None:
    first = api.pay(key="k1")

    again = api.pay(key="k1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert again["Location"] == first["Location"]
    assert again["Request-Id"] != first["Request-Id"]
    assert Payment.objects.count() == 1


def test_key_may_be_in_the_body(api: Api) -> None:
    first, again = (api.pay(key=None, idempotency_key="k1") for _ in range(2))

    assert (first.status_code, first.content) == (202, again.content)
    assert again["Idempotent-Replayed"] == "true"
    assert Payment.objects.get().idempotency_key == "k1"


def test_two_different_keys_are_refused(api: Api) -> None:
    assert_problem(api.pay(key="k1", idempotency_key="k2"), 400, "idempotency_key_invalid")


def test_same_key_for_another_request_is_refused(api: Api) -> None:
    api.pay(key="k1", amount="100.00")

    assert_problem(api.pay(key="k1", amount="100.01"), 422, "idempotency_key_reused")

    assert Payment.objects.get().money == eur("100.00")


def test_same_key_of_another_merchant_is_another_key(api: Api) -> None:
    other = Api(ApiKeyFactory().secret)

    mine, theirs = api.pay(key="k1"), other.pay(key="k1")

    assert theirs.status_code == 202
    assert "Idempotent-Replayed" not in theirs
    assert mine.json()["id"] != theirs.json()["id"]


def test_longest_key_is_accepted(api: Api) -> None:
    assert api.pay(key="k" * 255).status_code == 202


# --- Card numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "4111111111111111"},
        {"description": "card 4111 1111 1111 1111, please"},
        {"description": "4111-1111-1111-1111"},
        {"reference": "378282246310005"},
        {"metadata": {"card": "5555555555554444"}},
        {"metadata": {"4242424242424242": "card"}},
        {"metadata": {"card": 4111111111111111}},
        {"unknown": [{"deep": ["6011111111111117"]}]},
        {"merchant_id": "4222222222222"},
        {"idempotency_key": "4111111111111111"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_card_number_is_refused_wherever_it_is(api: Api, fields: dict[str, object]) -> None:
    response = api.pay(**fields)

    assert_problem(response, 422, "card_number_refused")
    assert not Payment.objects.exists()


def test_refused_card_number_is_not_repeated(api: Api) -> None:
    response = api.pay(description="4111111111111111")

    assert b"4111" not in response.content


@pytest.mark.parametrize(
    "text", ["4111111111111112", "411111111111", "123456789012345678901234", "2026-03-02 12:00"]
)
def test_other_digits_are_no_card_number(api: Api, text: str) -> None:
    assert api.pay(description=text).status_code == 202


# --- Lists ---------------------------------------------------------------------------------
