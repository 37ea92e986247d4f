"""Laws of Money."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.money import AMOUNT_MAX, CURRENCY_EXPONENTS, Money

amounts = st.integers(-AMOUNT_MAX, AMOUNT_MAX)
currencies = st.sampled_from(sorted(CURRENCY_EXPONENTS))


@given(amount=amounts, weights=st.lists(st.integers(0, 1_000), min_size=1, max_size=50).filter(any))
def test_split_loses_nothing(amount: int, weights: list[int]) -> None:
    shares = Money(amount, "EUR").split(weights)

    assert sum(share.amount for share in shares) == amount
    assert len(shares) == len(weights)


@given(
    amount=st.integers(0, AMOUNT_MAX),
    weights=st.lists(st.integers(0, 1_000), min_size=1, max_size=50).filter(any),
)
def test_split_is_fair_to_the_minor_unit(amount: int, weights: list[int]) -> None:
    for share, weight in zip(Money(amount, "EUR").split(weights), weights, strict=True):
        assert abs(share.amount * sum(weights) - amount * weight) < sum(weights)
        assert weight or not share


@given(amount=amounts, currency=currencies)
def test_what_is_shown_is_read_back(amount: int, currency: str) -> None:
    money = Money(amount, currency)

    assert Money.of(money.text, currency) == money
    assert Money.exactly(money.decimal, currency) == money
    assert Decimal(money.text) == money.decimal


@given(amount=amounts, points=st.integers(-20_000, 20_000))
def test_basis_points_are_within_half_a_minor_unit(amount: int, points: int) -> None:
    share = Money(amount, "EUR").basis_points(points).amount

    assert abs(share * 10_000 - amount * points) * 2 <= 10_000
    assert Money(-amount, "EUR").basis_points(points).amount == -share
