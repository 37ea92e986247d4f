"""POST and GET /payments, as a merchant's developer sees them."""

import json

import pytest
from django.utils.dateparse import parse_datetime

from payments.models import ApiKey, Merchant, Payment
from payments.services.processing import process_payments
from tests.factories import (
    ApiKeyFactory,
    PaymentFactory,
    SucceededPaymentFactory,
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


@pytest.mark.parametrize(
    ("written", "currency", "shown"),
    [
        ('"100.00"', "EUR", "100.00"),
        ('"100"', "EUR", "100.00"),
        ('"0.01"', "EUR", "0.01"),
        ("100.00", "EUR", "100.00"),
        ("0.1", "EUR", "0.10"),
        ("100", "JPY", "100"),
        ('"100"', "JPY", "100"),
        ('"1.5"', "KWD", "1.500"),
        ("19.99", "EUR", "19.99"),  # no binary number is 19.99
        ('"10000000000000.00"', "EUR", "10000000000000.00"),
    ],
)
def test_amount_is_a_decimal_in_major_units(
    api: Api, written: str, currency: str, shown: str
) -> None:
    body = f'{{"amount": {written}, "currency": "{currency}", "source": "tok_visa"}}'

    response = api.post("/payments", body)

    assert (response.status_code, response.json()["amount"]) == (202, shown)


def test_bare_integer_is_ambiguous_and_the_refusal_says_what_to_send(api: Api) -> None:
    body = assert_problem(api.pay(amount=5000), 422, "amount_ambiguous")

    assert body["detail"] == (
        "Amounts are in major units. If 5000 means 5000.00 EUR, send '5000.00'."
    )
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "written",
    [
        *('"1e2"', "1e2", "1E2", "1.0e2", "1e400", "-1e-400"),
        *('"100.001"', "100.001", '"0.001"'),
        *('" 100"', '"100 "', '"+100"', '"1,000.00"', '"1.000,00"', '".5"', '"5."', '"0100"'),
        *('"NaN"', '"Infinity"', '"１００"', '"100\\u200b"', '""', '"abc"', '"$100"'),
        *('"10000000000000.01"', "10000000000000.01"),
    ],
)
def test_amount_that_is_no_plain_decimal_of_the_currency_is_refused(api: Api, written: str) -> None:
    body = f'{{"amount": {written}, "currency": "EUR", "source": "tok_visa"}}'

    assert_problem(api.post("/payments", body), 422, "invalid_amount")

    assert not Payment.objects.exists()


@pytest.mark.parametrize("amount", ["0", "0.00", "-0", "-5.00", "-0.01"])
def test_amount_is_more_than_zero(api: Api, amount: str) -> None:
    assert_problem(api.pay(amount=amount), 422, "invalid")

    assert not Payment.objects.exists()


@pytest.mark.parametrize("amount", [True, False, None, [], ["100.00"], {}, {"value": "100.00"}])
def test_amount_of_another_type_is_refused_by_field(api: Api, amount: object) -> None:
    body = assert_problem(api.pay(amount=amount), 422, "invalid_request")

    assert [error["field"] for error in body["errors"]] == ["amount"]
    assert not Payment.objects.exists()


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_no_json(api: Api, written: str) -> None:
    body = f'{{"amount": {written}, "currency": "EUR", "source": "tok_visa"}}'

    assert_problem(api.post("/payments", body), 400, "parse_error")


@pytest.mark.parametrize(
    ("amount", "currency"), [("100.5", "JPY"), ("100.0001", "KWD"), ("0.1", "KRW")]
)
def test_decimals_are_counted_by_currency(api: Api, amount: str, currency: str) -> None:
    assert_problem(api.pay(amount=amount, currency=currency), 422, "invalid_amount")


@pytest.mark.parametrize("currency", ["eur", "XXX", "XTS", "BTC", "ZZZ", "U$D", "ЕUR"])
def test_unknown_currency_is_refused(api: Api, currency: str) -> None:
    assert_problem(api.pay(currency=currency), 422, "unknown_currency")

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
    body = assert_problem(api.pay(**{field: value}), 422, "invalid_request")

    assert [error["field"].split(".")[0] for error in body["errors"]] == [field]
    assert all(set(error) == {"field", "code", "detail"} for error in body["errors"])
    assert not Payment.objects.exists()


def test_every_missing_field_is_named(api: Api) -> None:
    body = assert_problem(api.post("/payments", {}), 422, "invalid_request")

    assert [(error["field"], error["code"]) for error in body["errors"]] == [
        ("amount", "required"),
        ("currency", "required"),
        ("source", "required"),
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

    assert_problem(api.pay(**wish), 400, "parse_error")


def test_payment_for_another_merchant_is_refused(api: Api) -> None:
    assert_problem(api.pay(merchant_id="mer_other"), 404, "merchant_not_found")

    assert not Payment.objects.exists()


@pytest.mark.parametrize("name", ["code", "public_id"])
def test_merchant_may_name_itself(api: Api, shop: Merchant, name: str) -> None:
    assert api.pay(merchant_id=getattr(shop, name)).status_code == 202


def test_reference_of_another_payment_is_a_conflict(api: Api) -> None:
    api.pay(reference="order-7")

    assert_problem(api.pay(reference="order-7"), 409, "reference_taken")


# --- Idempotency ---------------------------------------------------------------------------


def test_same_key_gives_the_same_answer_and_says_so(api: Api) -> None:
    first = api.pay(key="k1")

    again = api.pay(key="k1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert again["Location"] == first["Location"]
    assert again["Request-Id"] != first["Request-Id"]
    assert Payment.objects.count() == 1


def test_same_key_in_quotes_or_in_the_body_is_the_same_key(api: Api) -> None:
    first = api.pay(key="k1").json()

    quoted = api.pay(key='"k1"')
    in_body = api.pay(key=None, idempotency_key="k1")

    assert quoted.json()["id"] == in_body.json()["id"] == first["id"]
    assert Payment.objects.count() == 1


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


def test_key_is_required(api: Api) -> None:
    body = assert_problem(api.pay(key=None), 400, "idempotency_key_missing")

    assert body["detail"].startswith("Send an Idempotency-Key header")
    assert not Payment.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "tab\there", "é", "nul\x00", "\x7f"])
def test_key_is_1_to_255_printable_characters(api: Api, key: str) -> None:
    assert_problem(api.pay(key=key), 400, "idempotency_key_missing")

    assert not Payment.objects.exists()


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


def test_list_is_paged_newest_first_without_gap_or_repeat(api: Api, shop: Merchant) -> None:
    ids = [PaymentFactory(merchant=shop).public_id for _ in range(5)]
    PaymentFactory()

    pages, cursor = [], ""
    while cursor is not None:
        page = api.get("/payments", limit="2", **({"cursor": cursor} if cursor else {})).json()
        assert set(page) == {"results", "next_cursor", "has_more"}
        assert page["has_more"] is (page["next_cursor"] is not None)
        pages.append([payment["id"] for payment in page["results"]])
        cursor = page["next_cursor"]

    newest_first = ids[::-1]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_full_last_page_has_no_more(api: Api, shop: Merchant) -> None:
    for _ in range(2):
        PaymentFactory(merchant=shop)

    page = api.get("/payments", limit="2").json()

    assert (len(page["results"]), page["has_more"], page["next_cursor"]) == (2, False, None)


def test_empty_list_is_a_page_too(api: Api) -> None:
    assert api.get("/payments").json() == {"results": [], "next_cursor": None, "has_more": False}


def test_payments_that_come_in_between_do_not_shift_the_pages(api: Api, shop: Merchant) -> None:
    old = [PaymentFactory(merchant=shop).public_id for _ in range(3)]
    first = api.get("/payments", limit="2").json()
    PaymentFactory(merchant=shop)

    second = api.get("/payments", limit="2", cursor=first["next_cursor"]).json()

    assert [payment["id"] for payment in second["results"]] == [old[0]]


def test_list_is_filtered_by_status_and_reference(api: Api, shop: Merchant) -> None:
    done = SucceededPaymentFactory(merchant=shop, reference="order-1")
    waiting = PaymentFactory(merchant=shop, reference="order-2")

    by_status = api.get("/payments", status="PENDING").json()["results"]
    by_reference = api.get("/payments", reference="order-1").json()["results"]

    assert [payment["id"] for payment in by_status] == [waiting.public_id]
    assert [payment["id"] for payment in by_reference] == [done.public_id]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e2", "abc", "1.0", "٣", " 5", "1" * 5_000])
def test_limit_is_a_number_from_1_to_100(api: Api, limit: str) -> None:
    assert_problem(api.get("/payments", limit=limit), 422, "invalid_limit")


@pytest.mark.parametrize("cursor", ["1", "abc", "MQ:1:forged", "x" * 5_000])
def test_cursor_of_our_own_making_only(api: Api, cursor: str) -> None:
    assert_problem(api.get("/payments", cursor=cursor), 422, "invalid_cursor")


def test_cursor_that_was_changed_is_refused(api: Api, shop: Merchant) -> None:
    for _ in range(2):
        PaymentFactory(merchant=shop)
    cursor = api.get("/payments", limit="1").json()["next_cursor"]

    for forged in (cursor[:-1], cursor + "A", "A" + cursor[1:]):
        assert_problem(api.get("/payments", cursor=forged), 422, "invalid_cursor")


def test_list_costs_as_many_queries_as_one_payment(
    api: Api, shop: Merchant, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        PaymentFactory(merchant=shop)

    with django_assert_max_num_queries(3):  # type: ignore[operator]
        page = api.get("/payments").json()

    assert len(page["results"]) == 20


def test_every_amount_is_text(api: Api, shop: Merchant) -> None:
    SucceededRefundFactory(payment__merchant=shop)

    response = api.get("/payments")

    payment = json.loads(response.content)["results"][0]
    for name in ("amount", "amount_captured", "amount_refunded", "fee"):
        assert isinstance(payment[name], str)
