"""What every request follows: known fields only, printable text, amounts in major units."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils.encoders import JSONEncoder

from ledger.errors import Invalid
from ledger.money import AMOUNT_MAX, CURRENCY_EXPONENTS, Money, exponent_of
from payments.api.bodies import JsonDecimal
from payments.api.bodies import read_json as read_json
from payments.api.card_data import refuse_card_number as refuse_card_number

METADATA_KEYS_MAX = 50
METADATA_KEY_LENGTH_MAX = 40
METADATA_VALUE_LENGTH_MAX = 500
# Control characters (of C0, C1, NUL included), what turns the direction of text around, line and
# paragraph separators, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# The same for OpenAPI, but for the halves, which no schema can name.
PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$"
_ALWAYS_KNOWN = frozenset({"idempotency_key"})
AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$"
# REST framework reads 5 as "5" and "yes" as true; whoever sends that has mixed something up.
_TYPES: dict[type[serializers.Field], type] = {
    serializers.CharField: str,
    serializers.BooleanField: bool,
    serializers.IntegerField: int,
}
# What is wrong with a field, beyond what REST framework has codes for.
FIELD_CODES = {
    "unknown_field": "There is no such field here.",
    "control_character": "Control characters and characters that turn text around are not taken.",
    "currency_unsupported": "A currency is its ISO 4217 code in capital letters, such as EUR.",
    "metadata_invalid": (
        f"Metadata is up to {METADATA_KEYS_MAX} names of up to {METADATA_KEY_LENGTH_MAX} characters"
        f" with texts of up to {METADATA_VALUE_LENGTH_MAX}."
    ),
}


class AmbiguousAmount(Invalid):
    code = "amount_ambiguous"

    def __init__(self, amount: int, currency: str) -> None:
        hint = f"{amount}.{'0' * exponent_of(currency)}"
        super().__init__(
            f"Amounts are in major units. If {amount} means {hint} {currency}, send {hint!r}."
        )


class AmountOutOfRange(Invalid):
    code = "amount_out_of_range"

    def __init__(self) -> None:
        super().__init__("An amount is more than zero.")


class CurrencyUnsupported(Invalid):
    code = "currency_unsupported"

    def __init__(self) -> None:
        super().__init__(FIELD_CODES[self.code])


def render_json(data: Any) -> bytes:
    """As REST framework's JSONRenderer does, at half its cost."""
    return encode_json(_encoder.encode(data))


def encode_json(text: str) -> bytes:
    """JSON as it is sent: no line separators, which JavaScript once took for the end of a line."""
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


_encoder = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def is_printable(text: str) -> bool:
    """Whether people can be shown the text: no control characters, nothing that turns it around."""
    return not _UNPRINTABLE.search(text)


class StrictSerializer(serializers.Serializer):
    """Refuses fields it does not know or does not take, types that are not the field's, and text
    that cannot be printed.

    The body's `idempotency_key` is always allowed and ignored here.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        refused = self._refused(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            detail: Any = error.detail
            raise serializers.ValidationError({**detail, **refused}) from None
        if refused:
            raise serializers.ValidationError(refused)
        return value

    def _refused(self, data: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = data.keys() - known - _ALWAYS_KNOWN
        refused = {name: [_refusal("unknown_field")] for name in sorted(unknown)}
        for name in known & data.keys():
            value, field = data[name], self.fields[name]
            if isinstance(value, str) and not is_printable(value):
                refused[name] = [_refusal("control_character")]
            for kind, expected in _TYPES.items():
                if isinstance(field, kind) and type(value) not in (expected, type(None)):
                    refused[name] = [
                        ErrorDetail(str(field.error_messages["invalid"]), code="invalid")
                    ]
        return refused


def _refusal(code: str) -> ErrorDetail:
    return ErrorDetail(str(FIELD_CODES[code]), code=code)


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": METADATA_KEYS_MAX,
        "propertyNames": {"maxLength": METADATA_KEY_LENGTH_MAX, "pattern": PRINTABLE},
        "additionalProperties": {
            "type": "string",
            "maxLength": METADATA_VALUE_LENGTH_MAX,
            "pattern": PRINTABLE,
        },
    }
)
class MetadataField(serializers.Field):
    """The caller's own notes: names and texts, stored and given back as they are."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict) or len(data) > METADATA_KEYS_MAX:
            raise serializers.ValidationError([_refusal("metadata_invalid")])
        for name, text in data.items():
            if len(name) > METADATA_KEY_LENGTH_MAX or not isinstance(text, str):
                raise serializers.ValidationError([_refusal("metadata_invalid")])
            if len(text) > METADATA_VALUE_LENGTH_MAX:
                raise serializers.ValidationError([_refusal("metadata_invalid")])
            if not is_printable(name) or not is_printable(text):
                raise serializers.ValidationError([_refusal("control_character")])
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "enum": sorted(CURRENCY_EXPONENTS)})
class CurrencyField(serializers.Field):
    """An ISO 4217 code in capital letters."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in CURRENCY_EXPONENTS:
            raise serializers.ValidationError([_refusal("currency_unsupported")])
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "pattern": AMOUNT_PATTERN},
            {"type": "number", "exclusiveMinimum": 0, "maximum": AMOUNT_MAX},
        ],
        "examples": ["100.00"],
        "description": (
            "Major units, with up to as many decimals as the currency has. A number without"
            " decimals is refused where the currency has some."
        ),
    }
)
class AmountField(serializers.Field):
    """An amount in major units, as sent: text, or a JSON number written with decimals."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, str | int | JsonDecimal):
            raise serializers.ValidationError('Send the amount as text, such as "100.00".')
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{2,4})?$"})
class AmountText(serializers.CharField):
    """An amount as we answer it: text in major units, with the decimals of its currency."""


def read_money(amount: Any, currency: str) -> Money:
    """The amount, as AmountField let it in, as Money that is more than zero.

    Raises CurrencyUnsupported, AmbiguousAmount, AmountOutOfRange, and InvalidAmount for what is no
    plain decimal of the currency.
    """
    if currency not in CURRENCY_EXPONENTS:
        raise CurrencyUnsupported()
    if isinstance(amount, int) and exponent_of(currency) > 0:
        raise AmbiguousAmount(amount, currency)
    money = Money.of(amount.text if isinstance(amount, JsonDecimal) else str(amount), currency)
    if money.amount <= 0:
        raise AmountOutOfRange()
    return money
