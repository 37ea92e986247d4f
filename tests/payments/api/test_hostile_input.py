"""What nobody sends by accident gets a clear answer, and is not stored."""

import pytest
from django.test import Client

from ledger.ids import new_id
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
    ],
)
def test_a_card_number_is_refused_however_it_is_written(api: Api, text: str) -> None:
    assert_problem(api.pay(description=text), 422, "card_number_refused")
    assert_problem(api.pay(metadata={text: "x"}), 422, "card_number_refused")
    assert not Payment.objects.exists()


def test_a_card_number_is_no_idempotency_key_and_is_not_echoed(api: Api) -> None:
    assert_problem(api.pay(key="4111111111111111"), 422, "card_number_refused")
    for path in ("/payments/4111111111111111", "/payments?reference=4111111111111111"):
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


@pytest.mark.parametrize("name", ["nul\x00", "lone \ud800"])
def test_names_the_database_cannot_hold_are_refused(api: Api, name: str) -> None:
    assert api.pay(metadata={name: "x"}).status_code == 400
    assert not Payment.objects.exists()


def test_an_amount_of_thousands_of_digits_is_refused(api: Api) -> None:
    assert_problem(api.pay(amount="9" * 5_000), 422, "invalid_amount")


@pytest.mark.parametrize("path", ["/payments/%00", "/payments?reference=%00", "/payments?a=%2500"])
def test_nul_in_a_url_is_never_a_server_error(api: Api, path: str) -> None:
    assert api.get(path).status_code < 500


def test_nul_is_refused_outside_the_api_too(client: Client) -> None:
    assert client.get("/admin/%00").status_code == 400


def test_an_unknown_status_to_filter_by_is_named(api: Api) -> None:
    assert_problem(api.get("/payments?status=PAID"), 422, "unknown_status")
