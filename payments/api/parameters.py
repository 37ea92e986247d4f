"""Query parameters, read strictly: what is unknown, repeated or malformed is 400."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from ledger.errors import DomainError
from ledger.money import Money, exponent_of
from payments.api.conventions import AMOUNT_PATTERN

# For OpenAPI.
MOMENT = {"type": "string", "format": "date-time"}
AMOUNT = {"type": "string", "pattern": AMOUNT_PATTERN}
CURRENCY = {"$ref": "#/components/schemas/CurrencyEnum"}
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def refuse(detail: str, code: str = "invalid_parameter") -> NoReturn:
    raise ParseError(detail, code=code)


def refuse_others(request: Request, known: Collection[str]) -> None:
    """Refuse parameters that are not known, or there twice: a typo must not widen a list."""
    for name, values in request.query_params.lists():
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            refuse(
                f"There is no parameter {name[:40]!r} here, only {allowed}.", "unknown_parameter"
            )
        if len(values) > 1:
            refuse(f"{name} is there {len(values)} times.")


def choice_of(request: Request, name: str, choices: Collection[str]) -> str | None:
    """The parameter, one of the choices; None if it was not sent."""
    value = request.query_params.get(name)
    if value is not None and value not in choices:
        refuse(f"{name} is one of {', '.join(choices)}.")
    return value


def currency_of(request: Request) -> str | None:
    """The parameter `currency`, an ISO 4217 code; None if it was not sent."""
    currency = request.query_params.get("currency")
    try:
        if currency is not None:
            exponent_of(currency)
    except DomainError as problem:
        refuse(problem.message)
    return currency


def money_of(request: Request, name: str) -> Money | None:
    """The parameter, an amount in major units of the parameter `currency`; None if not sent."""
    amount, currency = request.query_params.get(name), currency_of(request)
    if amount is None:
        return None
    if currency is None:
        refuse(f"{name} needs a currency.")
    try:
        return Money.of(amount, currency)
    except DomainError as problem:
        refuse(f"{name}: {problem.message}")


def moment_of(request: Request, name: str) -> datetime | None:
    """The parameter, a moment as RFC 3339 writes it; None if it was not sent."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        if _RFC_3339.fullmatch(text):
            # PostgreSQL knows no offset of 16 hours and more.
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    refuse(f"{name} is a moment with an offset, such as 2026-03-02T09:30:00Z (a + is sent as %2B).")
