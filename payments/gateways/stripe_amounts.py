"""Amounts as Stripe writes them: its smallest units are not always those of ISO 4217.

https://docs.stripe.com/currencies: "zero-decimal", "three-decimal" and "special cases".
"""

from ledger.errors import Invalid
from ledger.money import Money, exponent_of

_ZERO_DECIMALS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD JOD KWD OMR TND"
# Written with two decimals that must be 00.
_WHOLE_WITH_TWO_DECIMALS = "ISK"

# UGX is missing on purpose: over the years its documentation has said both 5 and 500 for 5 UGX.
_EXPONENTS = {
    code: exponent
    for exponent, codes in {
        0: _ZERO_DECIMALS,
        2: _WHOLE_WITH_TWO_DECIMALS,
        3: _THREE_DECIMALS,
    }.items()
    for code in codes.split()
}
_USUAL_EXPONENT = 2


class AmountNotTaken(Invalid):
    """Stripe has no way to write this amount exactly; it is never rounded."""

    code = "amount_not_taken"


class CurrencyNotTaken(Invalid):
    code = "currency_not_supported"


def stripe_amount(money: Money) -> int:
    """The amount in Stripe's smallest units. Raises CurrencyNotTaken and AmountNotTaken."""
    shift = _stripe_exponent(money.currency) - exponent_of(money.currency)
    amount, rest = divmod(money.amount * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    # The last of three decimals must be 0 for Stripe's partners.
    if rest or (money.currency in _THREE_DECIMALS.split() and amount % 10):
        raise AmountNotTaken(f"Stripe takes fewer decimals of {money.currency} than {money.text}.")
    return amount


def money_of(amount: int, currency: str) -> Money:
    """What Stripe's amount is; `currency` in any case. Raises CurrencyNotTaken, AmountNotTaken."""
    code = currency.upper()
    shift = exponent_of(code) - _stripe_exponent(code)
    minor, rest = divmod(amount * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    if rest:
        raise AmountNotTaken(f"{amount} is not an amount of {code} that exists.")
    return Money(minor, code)


def _stripe_exponent(currency: str) -> int:
    known = _EXPONENTS.get(currency)
    if known is None and (currency == "UGX" or exponent_of(currency) != _USUAL_EXPONENT):
        raise CurrencyNotTaken(f"We do not take {currency} through Stripe.")
    return _USUAL_EXPONENT if known is None else known
