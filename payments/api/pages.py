"""Lists a page at a time: `{"results": […], "next_cursor": …, "has_more": …}`, newest first."""

from collections.abc import Callable
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.errors import Invalid

PAGE_SIZE = 25
PAGE_SIZE_MAX = 100


class InvalidCursor(Invalid):
    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("The cursor was not given out by this list.")


class InvalidLimit(Invalid):
    code = "invalid_limit"

    def __init__(self) -> None:
        super().__init__(f"limit is a whole number from 1 to {PAGE_SIZE_MAX}.")


def page_of(
    rows: QuerySet[Any], request: Request, represent: Callable[[Any], dict[str, Any]]
) -> Response:
    """The page the request asks for, of rows ordered by descending id."""
    limit = _limit(request.query_params.get("limit", str(PAGE_SIZE)))
    cursor = request.query_params.get("cursor")
    if cursor:
        rows = rows.filter(pk__lt=_read_cursor(cursor))
    page = list(rows[: limit + 1])
    has_more = len(page) > limit
    page = page[:limit]
    return Response(
        {
            "results": [represent(row) for row in page],
            "next_cursor": signing.dumps(page[-1].pk, salt="cursor") if has_more else None,
            "has_more": has_more,
        }
    )


def _limit(text: str) -> int:
    if not (
        text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= PAGE_SIZE_MAX
    ):
        raise InvalidLimit()
    return int(text)


def _read_cursor(cursor: str) -> int:
    try:
        return int(signing.loads(cursor, salt="cursor"))
    except signing.BadSignature:
        raise InvalidCursor() from None
