"""Amounts are decimals in major units, and what could mean another amount is refused."""

import pytest

from payments.models import Payment
from tests.support.api import Api, assert_problem


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
        *('"1e2"', "1e2", "1E2", "1.0e2", "1e-2", '"1_000"', '" 12 "', '"\\u00a012"', '"1."'),
        *("9" * 41, '"' + "9" * 1_001 + '"', '"١٢٣"', '"１.５"', '"0x10"', '"--1"'),
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
    assert_problem(api.pay(amount=amount), 422, "amount_out_of_range")

    assert not Payment.objects.exists()


@pytest.mark.parametrize("amount", [True, False, None, [], ["100.00"], {}, {"value": "100.00"}])
def test_amount_of_another_type_is_refused_by_field(api: Api, amount: object) -> None:
    body = assert_problem(api.pay(amount=amount), 422, "invalid_request")

    assert [error["pointer"] for error in body["errors"]] == ["#/amount"]
    assert not Payment.objects.exists()


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1e400", "-1e-400"])
def test_what_is_no_json_number_is_no_json(api: Api, written: str) -> None:
    body = f'{{"amount": {written}, "currency": "EUR", "source": "tok_visa"}}'

    assert_problem(api.post("/payments", body), 400, "invalid_number")


@pytest.mark.parametrize(
    ("amount", "currency"), [("100.5", "JPY"), ("100.0001", "KWD"), ("0.1", "KRW")]
)
def test_decimals_are_counted_by_currency(api: Api, amount: str, currency: str) -> None:
    assert_problem(api.pay(amount=amount, currency=currency), 422, "invalid_amount")


@pytest.mark.parametrize("written", ["5", "9007199254740993", "9223372036854775808", "9" * 30])
def test_integers_are_never_read_as_minor_units(api: Api, written: str) -> None:
    body = f'{{"amount": {written}, "currency": "EUR", "source": "tok_visa"}}'

    assert_problem(api.post("/payments", body), 422, "amount_ambiguous")


@pytest.mark.parametrize(
    "currency",
    ["usd", "US", "USDD", "", " USD", "XXX", "XTS", "ZZZ", "BTC", "U$D", "ЕUR", "ＵＳＤ"],
)
def test_currency_is_an_iso_code_in_capital_letters(api: Api, currency: str) -> None:
    assert_problem(api.pay(currency=currency), 422, "currency_unsupported")

    assert not Payment.objects.exists()
