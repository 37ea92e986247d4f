"""What nobody sends by accident gets a clear answer, and is not stored."""

import json

import pytest
from django.test import Client

from ledger.ids import new_id
from payments.api import bodies
from payments.api.conventions import refuse_card_number
from payments.models import Payment
from tests.factories import ApiKeyFactory
from tests.support.api import Api, assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(ApiKeyFactory().secret)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111 123",
        "4111 1111 1111 1111 12/27",
        "order 12 4111111111111111",
        "4111.1111.1111.1111",
        "4111_1111-1111  1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "\uff14\uff11\uff11\uff11" + "\uff11" * 12,
        "".join(chr(0x660 + int(digit)) for digit in "4111111111111111"),  # Arabic-Indic
        "5555555555554444",
        "378282246310005",
        "6011111111111117",
        "3530111333300000",
        "2223003122003222",
    ],
)
def test_a_card_number_is_refused_however_it_is_written(api: Api, text: str) -> None:
    assert_problem(api.pay(description=text), 422, "card_number_refused")
    assert_problem(api.pay(metadata={text: "x"}), 422, "card_number_refused")
    assert not Payment.objects.exists()


def test_a_card_number_is_no_idempotency_key_and_is_not_echoed(api: Api) -> None:
    assert_problem(api.pay(key="4111111111111111"), 422, "card_number_refused")
    for path in (
        "/payments/4111111111111111",
        "/payments?reference=4111111111111111",
        "/payments?4111111111111111=x",
        "/accounts/4111111111111111",
    ):
        assert b"4111111111111111" not in api.get(path).content


@pytest.mark.parametrize(
    "text",
    [
        "invoice 1234567890123456",
        "refund-pay_01a1fdb1ce457823838117066688abf5",  # an id whose digits satisfy Luhn
        "9111111111111111113",
    ],
)
def test_long_numbers_that_are_no_cards_pass(api: Api, text: str) -> None:
    assert api.pay(key=text.replace(" ", "-"), description=text).status_code == 202


def test_our_own_ids_are_never_taken_for_card_numbers() -> None:
    for _ in range(20_000):
        refuse_card_number(f"refund of {new_id('pay')}")


@pytest.mark.parametrize("depth", [300, 600, 2_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("name", ["x", "metadata"])
def test_deep_nesting_is_refused(api: Api, depth: int, opening: str, name: str) -> None:
    closing = "]" if opening == "[" else "}"
    inner = opening * depth + "1" + closing * depth
    body = f'{{"amount": "1.00", "currency": "EUR", "source": "tok_visa", "{name}": {inner}}}'

    assert api.post("/payments", body).status_code < 500


@pytest.mark.parametrize(
    "text",
    ["nul\x00", "lone \ud800", "a\r\nb", "a\tb", "\x1b[31m", "\x7f", "\u202etxet", "\u2066x"],
)
def test_text_people_cannot_be_shown_is_refused(api: Api, text: str) -> None:
    for field in ("description", "reference", "source"):
        body = assert_problem(api.pay(**{field: text}), 422, "control_character")
        assert [error["pointer"] for error in body["errors"]] == [f"#/{field}"]
    for metadata in ({text: "x"}, {"x": text}):
        assert_problem(api.pay(metadata=metadata), 422, "control_character")
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "text", ["Grüße 🍎", "👩‍👩‍👧", "‏שלום", "e\u0301" * 50, "{{7*7}} <b> ' OR 1=1 --"]
)
def test_text_people_can_be_shown_is_kept(api: Api, text: str) -> None:
    assert api.pay(description=text).json()["description"] == text


def test_metadata_is_fifty_short_texts(api: Api) -> None:
    most = {f"{number:040}": "x" * 500 for number in range(50)}
    assert api.pay(metadata=most).status_code == 202

    for metadata in (
        {**most, "one more": "x"},
        {"n" * 41: "x"},
        {"x": "x" * 501},
        *({"x": value} for value in (1, 1.5, None, True, [], {})),
        [],
        "text",
        None,
    ):
        response = api.pay(metadata=metadata)
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == ["#/metadata"]


@pytest.mark.parametrize(
    "name", ["cvv", "CVC", "cvv2", "security_code", "card-cvc", "PIN", "track2"]
)
def test_security_codes_are_refused_by_their_name(api: Api, name: str) -> None:
    assert_problem(api.pay(**{name: "123"}), 422, "security_code_refused")
    assert_problem(api.pay(metadata={name: "123"}), 422, "security_code_refused")
    assert not Payment.objects.exists()


def test_card_number_is_refused_as_a_number_too(api: Api) -> None:
    for written in ("4111111111111111", "4111111111111111.00"):
        body = f'{{"amount": {written}, "currency": "EUR", "source": "tok_visa"}}'
        response = api.post("/payments", body)
        assert_problem(response, 422, "card_number_refused")
        assert b"4111" not in response.content


def test_an_amount_of_thousands_of_digits_is_refused(api: Api) -> None:
    assert_problem(api.pay(amount="9" * 5_000), 422, "invalid_amount")


@pytest.mark.parametrize("path", ["/payments/%00", "/payments?reference=%00", "/payments?a=%2500"])
def test_nul_in_a_url_is_never_a_server_error(api: Api, path: str) -> None:
    assert api.get(path).status_code < 500


def test_nul_is_refused_outside_the_api_too(client: Client) -> None:
    assert client.get("/admin/%00").status_code == 400


def test_an_unknown_status_to_filter_by_is_named(api: Api) -> None:
    assert_problem(api.get("/payments?status=PAID"), 400, "invalid_parameter")


def test_long_names_are_read_and_fill_no_memory() -> None:
    names = [f"someLongName{number}" + "x" * 1_000 for number in range(3)]
    remembered = bodies._checked_short_name.cache_info().currsize

    found = bodies.read_json(json.dumps(dict.fromkeys(names, 1)).encode())

    assert list(found) == [f"some_long_name{number}" + "x" * 1_000 for number in range(3)]
    assert bodies._checked_short_name.cache_info().currsize == remembered
