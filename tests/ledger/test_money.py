"""Money is exact: read strictly, kept as minor units, divided without loss."""

from decimal import Decimal

import pytest

from ledger.errors import Invalid
from ledger.money import AMOUNT_MAX, CURRENCY_EXPONENTS, Money, exponent_of


@pytest.mark.parametrize(
    ("text", "currency", "minor_units", "shown"),
    [
        ("100.00", "EUR", 100_00, "100.00"),
        ("100", "EUR", 100_00, "100.00"),
        ("0.1", "EUR", 10, "0.10"),
        ("0", "EUR", 0, "0.00"),
        ("-12.34", "EUR", -12_34, "-12.34"),
        ("-0.05", "EUR", -5, "-0.05"),
        ("100", "JPY", 100, "100"),
        ("1.234", "KWD", 1_234, "1.234"),
        ("1.2", "KWD", 1_200, "1.200"),
        ("1.2345", "CLF", 12_345, "1.2345"),
        ("10000000000000.00", "EUR", AMOUNT_MAX, "10000000000000.00"),
    ],
)
def test_decimal_text_becomes_minor_units(
    text: str, currency: str, minor_units: int, shown: str
) -> None:
    money = Money.of(text, currency)

    assert money == Money(minor_units, currency)
    assert money.text == shown
    assert str(money) == f"{shown} {currency}"
    assert Money.of(money.text, currency) == money


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", " 1", "1 ", "1\n", "+1", "--1", "1.", ".5", "01", "00.5", "1,00", "1.000,00"),
        *("1e2", "1E2", "1_000", "0x10", "NaN", "sNaN", "Infinity", "-Infinity", "inf", "None"),
        *("１２３", "١٢٣", "1．5", "\u00a01", "1\u200b", "1\x00", "$1", "1 EUR"),
    ],
)
def test_only_plain_decimals_are_amounts(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Money.of(text, "EUR")

    assert refusal.value.code == "invalid_amount"


@pytest.mark.parametrize(
    ("text", "currency"),
    [("0.001", "EUR"), ("100.001", "EUR"), ("0.5", "JPY"), ("1.2345", "KWD"), ("1.23456", "CLF")],
)
def test_more_decimals_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(Invalid, match=f"more decimals than {currency}") as refusal:
        Money.of(text, currency)

    assert refusal.value.code == "invalid_amount"


@pytest.mark.parametrize("text", ["10000000000000.01", "-10000000000000.01", "9" * 4_000])
def test_amounts_beyond_the_bound_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Money.of(text, "EUR")

    assert refusal.value.code == "invalid_amount"
    assert len(str(refusal.value)) < 200


def test_decimals_are_read_exactly_however_they_are_written() -> None:
    assert Money.exactly(Decimal("12.30"), "EUR") == Money(12_30, "EUR")
    assert Money.exactly(Decimal("1E+2"), "EUR") == Money(100_00, "EUR")
    assert Money.exactly(Decimal("-0.00"), "EUR") == Money(0, "EUR")


def test_more_decimals_than_the_currency_has_may_mean_thousands() -> None:
    for text, currency in (("100.000", "EUR"), ("100.00", "JPY")):
        with pytest.raises(Invalid, match="more decimals"):
            Money.of(text, currency)

    assert Money.exactly(Decimal("100.00000"), "EUR") == Money(100_00, "EUR")
    with pytest.raises(Invalid, match="more decimals"):
        Money.exactly(Decimal("0.001"), "EUR")


def test_amounts_of_different_currencies_are_not_compared() -> None:
    assert Money(1, "EUR") < Money(2, "EUR")
    with pytest.raises(TypeError):
        assert Money(1, "EUR") < Money(2, "USD")


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_decimals_that_are_no_numbers_are_refused(value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Money.exactly(Decimal(value), "EUR")

    assert refusal.value.code == "invalid_amount"


@pytest.mark.parametrize(
    "currency", ["eur", "EURO", "EU", "", "XXX", "XTS", "BTC", "XAU", "ЕUR", " EUR"]
)
def test_only_currencies_with_a_minor_unit_are_known(currency: str) -> None:
    for attempt in (lambda: Money(1, currency), lambda: Money.of("1", currency)):
        with pytest.raises(Invalid) as refusal:
            attempt()

        assert refusal.value.code == "unknown_currency"


def test_exponents_are_those_of_iso_4217() -> None:
    exponents = {code: exponent_of(code) for code in ("JPY", "HUF", "ISK", "EUR", "KWD", "CLF")}

    assert exponents == {"JPY": 0, "HUF": 2, "ISK": 0, "EUR": 2, "KWD": 3, "CLF": 4}
    assert set(CURRENCY_EXPONENTS.values()) == {0, 2, 3, 4}


@pytest.mark.parametrize("amount", [1.0, True, Decimal(1), "1", None])
def test_minor_units_are_an_int_and_nothing_else(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "EUR")  # type: ignore[arg-type]


def test_arithmetic_is_exact_and_keeps_the_currency() -> None:
    ten, three = Money(10, "EUR"), Money(3, "EUR")

    assert ten + three == Money(13, "EUR")
    assert three - ten == Money(-7, "EUR")
    assert -ten == Money(-10, "EUR")
    assert ten > three
    assert ten
    assert not Money(0, "EUR")
    assert ten.decimal == Decimal("0.10")


def test_currencies_do_not_mix() -> None:
    euro, dollar = Money(1, "EUR"), Money(1, "USD")

    with pytest.raises(TypeError, match="not of one currency"):
        euro + dollar
    with pytest.raises(TypeError, match="not of one currency"):
        euro - dollar
    assert euro != dollar


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100_00, [1, 1, 1], [3333, 3333, 3334]),
        (1, [1, 1], [0, 1]),
        (0, [5, 3], [0, 0]),
        (10, [1, 0, 3], [2, 0, 8]),
        (7, [1], [7]),
        (-100, [1, 1, 1], [-34, -33, -33]),
    ],
)
def test_split_gives_every_minor_unit_to_somebody(
    amount: int, weights: list[int], shares: list[int]
) -> None:
    assert [share.amount for share in Money(amount, "EUR").split(weights)] == shares


@pytest.mark.parametrize(
    ("amount", "points", "expected"),
    [
        (100_00, 290, 2_90),
        (100, 150, 2),  # 1.5 is rounded away from zero
        (100, 149, 1),
        (-100, 150, -2),
        (100, -150, -2),
        (-100, -150, 2),
        (1, 4_999, 0),
        (1, 5_000, 1),
        (0, 290, 0),
        (AMOUNT_MAX, 10_000, AMOUNT_MAX),
    ],
)
def test_basis_points_round_half_away_from_zero(amount: int, points: int, expected: int) -> None:
    assert Money(amount, "EUR").basis_points(points) == Money(expected, "EUR")
