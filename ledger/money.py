"""Exact money: integer minor units of an ISO 4217 currency."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, total_ordering

from ledger.errors import Invalid

# ISO 4217 list one: active codes and funds that have a minor unit. Not CLDR, whose digits are
# display habits and differ from ISO for 13 currencies: that would move the decimal point.
_ZERO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"

CURRENCY_EXPONENTS: dict[str, int] = {
    code: exponent
    for exponent, codes in {
        0: _ZERO_DECIMALS,
        2: _TWO_DECIMALS,
        3: _THREE_DECIMALS,
        4: _FOUR_DECIMALS,
    }.items()
    for code in codes.split()
}

# Far above any payment, far below 2**63, so that sums of a batch cannot overflow a bigint.
AMOUNT_MAX = 10**15
TEXT_LENGTH_MAX = 40

_DECIMAL_TEXT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)


class InvalidAmount(Invalid):
    code = "invalid_amount"

    def __init__(self, text: object, problem: str) -> None:
        super().__init__(f"{str(text)[:60]!r} {problem}.")


class UnknownCurrency(Invalid):
    code = "unknown_currency"

    def __init__(self, currency: object) -> None:
        super().__init__(f"{str(currency)[:20]!r} is not an ISO 4217 currency with a minor unit.")


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in minor units of one currency: Money(1234, "EUR") is 12.34 euro."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"Money needs an int of minor units, got {self.amount!r}.")
        if self.currency not in CURRENCY_EXPONENTS:
            raise UnknownCurrency(self.currency)

    @classmethod
    def of(cls, text: str, currency: str) -> "Money":
        """Read an amount in major units as people write it.

        Refuses exponent form and more decimals than the currency has, zeros too: in 100.000 a
        thousand may be meant.
        """
        exponent = exponent_of(currency)
        if len(text) > TEXT_LENGTH_MAX or not _DECIMAL_TEXT.fullmatch(text):
            raise InvalidAmount(text, "is not a plain decimal number")
        whole, _, decimals = text.partition(".")
        if len(decimals) > exponent:
            raise InvalidAmount(text, f"has more decimals than {currency} ({exponent})")
        return cls._within_limit(text, int(whole + decimals.ljust(exponent, "0")), currency)

    @classmethod
    def exactly(cls, value: Decimal, currency: str) -> "Money":
        """A number in major units whose trailing zeros say nothing. Refuses an inexact one."""
        exponent = exponent_of(currency)
        scaled = value.scaleb(exponent) if value.is_finite() else value
        if not value.is_finite() or scaled != scaled.to_integral_value():
            raise InvalidAmount(value, f"has more decimals than {currency} ({exponent})")
        return cls._within_limit(value, int(scaled), currency)

    @classmethod
    def _within_limit(cls, value: object, amount: int, currency: str) -> "Money":
        if abs(amount) > AMOUNT_MAX:
            raise InvalidAmount(value, "is larger than any amount this system accepts")
        return cls(amount, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.amount).scaleb(-CURRENCY_EXPONENTS[self.currency])

    @property
    def text(self) -> str:
        """The amount in major units with exactly the currency's decimals: "100.00", JPY "100"."""
        return _text_of(self.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same_currency(other)
        return self.amount < other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Divide without losing a minor unit: the shares always sum to the whole."""
        total, shares, seen, given = sum(weights), [], 0, 0
        for weight in weights:
            seen += weight
            due = self.amount * seen // total
            shares.append(Money(due - given, self.currency))
            given = due
        return shares

    def basis_points(self, points: int) -> "Money":
        """This many hundredths of a per cent, rounded half away from zero to the minor unit."""
        quotient, remainder = divmod(abs(self.amount) * abs(points), 10_000)
        rounded = quotient + (remainder * 2 >= 10_000)
        is_negative = (self.amount < 0) != (points < 0)
        return Money(-rounded if is_negative else rounded, self.currency)

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise TypeError(f"{self} and {other} are not of one currency.")


def exponent_of(currency: str) -> int:
    """How many decimals the currency has. Raises UnknownCurrency."""
    try:
        return CURRENCY_EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


# Of the many amounts that are shown most are one of a few: nothing captured, nothing refunded.
@lru_cache(maxsize=10_000)
def _text_of(amount: int, currency: str) -> str:
    exponent = CURRENCY_EXPONENTS[currency]
    digits = str(abs(amount)).rjust(exponent + 1, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
