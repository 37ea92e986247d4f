"""How request bodies are read: strict JSON, exact numbers, no card data."""

import json
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser

from ledger.errors import Invalid
from payments.api.card_data import refuse_card_number, refuse_secret_name

BODY_BYTES_MAX = 256 * 1024
DEPTH_MAX = 16
# Of what JSON writers write, IEEE 754 doubles; beyond, a number is only a way to fill memory.
NUMBER_EXPONENTS = range(-324, 309)
INTEGER_DIGITS_MAX = 40
SHORT_NAME_LENGTH = 40
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_WORD_START = re.compile(r"(?<=[a-z0-9])([A-Z])")


class MalformedBody(Invalid):
    """400: not JSON as we read it."""

    code = "parse_error"


class DuplicateName(MalformedBody):
    code = "duplicate_key"

    def __init__(self) -> None:
        super().__init__("A name occurs twice in one JSON object.")


class InvalidNumber(MalformedBody):
    code = "invalid_number"

    def __init__(self) -> None:
        super().__init__("NaN, Infinity and numbers beyond 1e308 are no JSON numbers here.")


class TooDeep(MalformedBody):
    code = "too_deep"

    def __init__(self) -> None:
        super().__init__(f"The body is nested more than {DEPTH_MAX} levels deep.")


class NotAnObject(MalformedBody):
    code = "not_an_object"

    def __init__(self) -> None:
        super().__init__("The body is a JSON object: {…}.")


class BodyTooLarge(Invalid):
    """413"""

    code = "body_too_large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"The body may have up to {bytes_max} bytes here.")


class UnsupportedBody(Invalid):
    """415"""

    code = "unsupported_media_type"

    def __init__(self) -> None:
        super().__init__("Send application/json in UTF-8, not compressed.")


class JsonDecimal(Decimal):
    """A JSON number, exact; `text` is how it was written."""

    text: str

    def __new__(cls, text: str) -> "JsonDecimal":
        number = super().__new__(cls, text)
        number.text = text
        return number


class StrictJSONParser(BaseParser):
    """`request.data` as `read_json` reads it. A view may allow more with `body_bytes_max`."""

    media_type = JSON

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        request = parser_context["request"]._request
        bytes_max = getattr(parser_context["view"], "body_bytes_max", BODY_BYTES_MAX)
        return read_json(body_of(request, bytes_max=bytes_max))


class FormLabelParser(StrictJSONParser):
    """JSON that `curl -d` has labelled as a form, for want of a header; forms are refused."""

    media_type = FORM


def body_of(request: HttpRequest, *, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The raw body, once it is clear that we can read it.

    Raises UnsupportedBody for another media type, character set, a compressed body or a form, and
    BodyTooLarge before anything is read.
    """
    media_type, parameters = parse_header_parameters(request.META.get("CONTENT_TYPE", ""))
    charset = parameters.get("charset", "utf-8").lower()
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").lower()
    if media_type not in (JSON, FORM) or charset != "utf-8" or encoding != "identity":
        raise UnsupportedBody()
    if int(request.META.get("CONTENT_LENGTH") or 0) > bytes_max:
        raise BodyTooLarge(bytes_max)
    if media_type == FORM and not request.body.lstrip().startswith(b"{"):
        raise UnsupportedBody()
    return request.body


def read_json(body: bytes) -> dict[str, Any]:
    """The object a body says, its names in snake_case.

    Raises MalformedBody (not UTF-8, not JSON, no object, a name twice, no finite number, too deep)
    and CardNumberRefused.
    """
    try:
        data = json.loads(
            body.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_names,
        )
    except RecursionError:
        raise TooDeep() from None
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    except ValueError as error:
        # Of JSON errors only the place is told: what stands there may be anything.
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedBody(f"The body is not valid JSON{place}.") from None
    if not isinstance(data, dict):
        raise NotAnObject()
    return _checked(data, depth=1, is_metadata=False)


def _decimal(text: str) -> JsonDecimal:
    try:
        number = JsonDecimal(text)
    except InvalidOperation:
        raise InvalidNumber() from None
    if number and number.adjusted() not in NUMBER_EXPONENTS:
        raise InvalidNumber()
    return number


def _integer(text: str) -> int | JsonDecimal:
    return int(text) if len(text) <= INTEGER_DIGITS_MAX else _decimal(text)


def _refuse_constant(_name: str) -> NoReturn:
    raise InvalidNumber()


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise DuplicateName()
    return names


def _checked(data: Any, *, depth: int, is_metadata: bool) -> Any:
    """The data without card data, its names as we spell them; in `metadata` they are theirs."""
    match data:
        case dict():
            return _checked_object(data, depth=depth, is_metadata=is_metadata)
        case list():
            if depth > DEPTH_MAX:
                raise TooDeep()
            return [_checked(each, depth=depth + 1, is_metadata=is_metadata) for each in data]
        case str():
            refuse_card_number(data)
        case JsonDecimal():
            refuse_card_number(data.text)
        case int() if data > 10**12:
            refuse_card_number(str(data))
    return data


def _checked_object(data: dict[str, Any], *, depth: int, is_metadata: bool) -> dict[str, Any]:
    if depth > DEPTH_MAX:
        raise TooDeep()
    checked: dict[str, Any] = {}
    for name, value in data.items():
        is_short = len(name) <= SHORT_NAME_LENGTH
        spelt_as_ours = _checked_short_name(name) if is_short else _checked_name(name)
        ours = name if is_metadata else spelt_as_ours
        if ours in checked:
            raise DuplicateName()
        if type(value) is str:
            refuse_card_number(value)
            checked[ours] = value
        else:
            inside = is_metadata or ours == "metadata"
            checked[ours] = _checked(value, depth=depth + 1, is_metadata=inside)
    return checked


def _checked_name(name: str) -> str:
    """The name in snake_case."""
    refuse_card_number(name)
    refuse_secret_name(name)
    return _WORD_START.sub(lambda found: f"_{found[1].lower()}", name)


# The same few names come with every request; long ones would only fill memory.
_checked_short_name = lru_cache(maxsize=1_000)(_checked_name)
