"""Amounts as Stripe's API has them: whole numbers of the currency's smallest unit.

docs.stripe.com/currencies: no decimals for some currencies, three for some, two for the rest.
"""

import re
from decimal import Decimal

from .values import Unreadable, read_amount

_WITHOUT_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_WITH_THREE = frozenset("BHD JOD KWD OMR TND".split())

_is_whole = re.compile(r"-?[0-9]{1,18}").fullmatch


def read_major(text: str, currency: str, name: str) -> Decimal:
    """An amount of a report: units and decimals."""
    return read_amount(text, name)


def read_minor(text: str, currency: str, name: str) -> Decimal:
    """An amount of the API, in units of `currency`."""
    if not _is_whole(text):
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is not a whole number")
    decimals = 0 if currency in _WITHOUT_DECIMALS else 3 if currency in _WITH_THREE else 2
    return Decimal(text).scaleb(-decimals)
