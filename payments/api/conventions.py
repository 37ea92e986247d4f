"""How requests are read: exact decimals, both spellings of names, idempotency keys, pages."""

import json
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from ledger.errors import Invalid
from ledger.money import Money, exponent_of
from payments.errors import CardNumberRefused

# ISO/IEC 7812: a primary account number.
PAN_LENGTH_MIN, PAN_LENGTH_MAX = 13, 19
PAN_FIRST_DIGITS = "23456"  # what the card schemes were given
_DIGIT_RUN = re.compile(r"(?<![A-Za-z0-9])[0-9](?:[0-9]|[\s._-]{1,3}(?=[0-9])){12,}(?![A-Za-z0-9])")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WORD_START = re.compile(r"(?<=[a-z0-9])([A-Z])")


class MissingIdempotencyKey(Invalid):
    code = "idempotency_key_missing"

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key header: any text of yours, 1 to 255 characters.")


class AmbiguousAmount(Invalid):
    code = "amount_ambiguous"

    def __init__(self, amount: int, currency: str) -> None:
        hint = f"{amount}.{'0' * exponent_of(currency)}"
        super().__init__(
            f"Amounts are in major units. If {amount} means {hint} {currency}, send {hint!r}."
        )


class DecimalJSONParser(BaseParser):
    """JSON whose numbers stay exact; NaN, duplicate names and card numbers are refused."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            data = json.loads(
                stream.read().decode("utf-8"),
                parse_float=_JsonDecimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=_unique_names,
            )
            for text in _texts_of(data):
                refuse_card_number(text)
            return _in_snake_case(data)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}") from None


class _JsonDecimal(Decimal):
    """A JSON number written with decimals; remembers how it was written."""

    def __new__(cls, text: str) -> "_JsonDecimal":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    if any(_UNSTORABLE.search(name) for name in names):
        raise ValueError("a name contains NUL or a lone surrogate")
    return names


def _in_snake_case(data: Any) -> Any:
    """The data with names as our API spells them; what is inside `metadata` is left alone."""
    if isinstance(data, list):
        return [_in_snake_case(value) for value in data]
    if not isinstance(data, dict):
        return data
    renamed: dict[str, Any] = {}
    for name, value in data.items():
        ours = _WORD_START.sub(lambda found: f"_{found[1].lower()}", name)
        if ours in renamed:
            raise ParseError(f"The field {ours!r} is there twice.")
        renamed[ours] = value if ours == "metadata" else _in_snake_case(value)
    return renamed


def _texts_of(data: Any) -> Iterator[str]:
    """All text in the data, names and whole numbers included."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield name
            yield from _texts_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts_of(value)
    elif isinstance(data, str | int) and not isinstance(data, bool):
        yield str(data)


def refuse_card_number(text: str) -> None:
    """Raise CardNumberRefused if neighbouring groups of digits make up a card number.

    Groups may be divided by spaces, dots, hyphens or underscores, full-width or with invisible
    characters between; other digits beside the number do not hide it. Digits that touch letters are
    no card number: one in a few hundred hexadecimal ids would look like one.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    for run in _DIGIT_RUN.findall(plain):
        groups = re.findall("[0-9]+", run)
        for first in range(len(groups)):
            number = ""
            for group in groups[first:]:
                number += group
                if len(number) > PAN_LENGTH_MAX:
                    break
                if len(number) >= PAN_LENGTH_MIN and _is_card_number(number):
                    raise CardNumberRefused()


def _is_card_number(digits: str) -> bool:
    return digits[0] in PAN_FIRST_DIGITS and _luhn_holds(digits)


def _luhn_holds(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}], "example": "100.00"})
class AmountField(serializers.Field):
    """An amount in major units, as sent: text, or a JSON number written with decimals."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            raise serializers.ValidationError('Send the amount as text, such as "100.00".')
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


def read_money(amount: Any, currency: str) -> Money:
    """The amount as Money. Raises Invalid families: ambiguous, malformed, too many decimals."""
    if isinstance(amount, int) and exponent_of(currency) > 0:
        raise AmbiguousAmount(amount, currency)
    return Money.of(amount.text if isinstance(amount, _JsonDecimal) else str(amount), currency)


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header, or the body's `idempotency_key`. Quotes around it are dropped."""
    header = request.headers.get("Idempotency-Key")
    body = request.data.get("idempotency_key") if isinstance(request.data, dict) else None
    key = header if header is not None else body
    if key is None:
        raise MissingIdempotencyKey()
    if isinstance(key, str) and len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not isinstance(key, str) or not _IDEMPOTENCY_KEY.fullmatch(key):
        raise MissingIdempotencyKey()
    refuse_card_number(key)
    return key
