import pytest

from ledger.money import Money
from payments.gateways.stripe_amounts import (
    AmountNotTaken,
    CurrencyNotTaken,
    money_of,
    stripe_amount,
)


@pytest.mark.parametrize(
    ("text", "currency", "theirs"),
    [
        ("10.00", "USD", 1000),
        ("500", "JPY", 500),
        ("5", "ISK", 500),
        ("5.120", "KWD", 5120),
        ("100.00", "MGA", 100),
        ("1234.56", "HUF", 123456),
    ],
)
def test_amount_is_written_in_stripes_smallest_units(text: str, currency: str, theirs: int) -> None:
    money = Money.of(text, currency)

    assert stripe_amount(money) == theirs
    assert money_of(theirs, currency.lower()) == money


@pytest.mark.parametrize(("text", "currency"), [("5.124", "KWD"), ("100.20", "MGA")])
def test_amount_stripe_cannot_write_is_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(AmountNotTaken):
        stripe_amount(Money.of(text, currency))


def test_fraction_of_a_krona_from_stripe_is_no_amount() -> None:
    with pytest.raises(AmountNotTaken):
        money_of(550, "isk")


@pytest.mark.parametrize("currency", ["UGX", "IQD", "CLF", "UYI"])
def test_currency_whose_units_are_uncertain_is_not_taken(currency: str) -> None:
    with pytest.raises(CurrencyNotTaken):
        stripe_amount(Money(1000, currency))
