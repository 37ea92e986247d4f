"""Lists a page at a time: `{"results": […], "next_cursor": …, "has_more": …}`, newest first."""

import hashlib
import json
from collections.abc import Callable, Collection
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from payments.api.authentication import caller_of
from payments.api.parameters import refuse, refuse_others

PAGE_SIZE = 25
PAGE_SIZE_MAX = 100
PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX, "default": PAGE_SIZE}
    ),
    OpenApiParameter("cursor", str, description="The page before's `next_cursor`."),
]
PAGING = frozenset(parameter.name for parameter in PAGE_PARAMETERS)


def page_of(
    rows: QuerySet[Any],
    request: Request,
    represent: Callable[[Any], dict[str, Any]],
    *,
    filters: Collection[str] = (),
) -> Response:
    """The page the request asks for, of rows ordered by descending id.

    `filters` are the query parameters the caller has read to choose the rows; any other is refused.
    A cursor belongs to the merchant, the list and the filters it was given out for.
    """
    refuse_others(request, PAGING | set(filters))
    limit = _limit(request.query_params.get("limit", str(PAGE_SIZE)))
    if "cursor" in request.query_params:
        rows = rows.filter(pk__lt=_read_cursor(request))
    page = list(rows[: limit + 1])
    has_more = len(page) > limit
    page = page[:limit]
    return Response(
        {
            "results": [represent(row) for row in page],
            "next_cursor": _write_cursor(page[-1].pk, request) if has_more else None,
            "has_more": has_more,
        }
    )


def listing_of(
    request: Request,
    read: Callable[[Any, int], tuple[list[dict[str, Any]], Any]],
    *,
    filters: Collection[str] = (),
) -> Response:
    """The page of a list that has places of its own; limit, cursor and filters as in `page_of`.

    `read` gets the place the page before ended at (None: the first page) and the limit, and returns
    what is shown and the place to go on from (None: the end), which JSON can write.
    """
    refuse_others(request, PAGING | set(filters))
    limit = _limit(request.query_params.get("limit", str(PAGE_SIZE)))
    place = _read_cursor(request) if "cursor" in request.query_params else None
    results, next_place = read(place, limit)
    return Response(
        {
            "results": results,
            "next_cursor": None if next_place is None else _write_cursor(next_place, request),
            "has_more": next_place is not None,
        }
    )


def _limit(text: str) -> int:
    if not (
        text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= PAGE_SIZE_MAX
    ):
        refuse(f"limit is a whole number from 1 to {PAGE_SIZE_MAX}.", code="invalid_limit")
    return int(text)


def _write_cursor(place: Any, request: Request) -> str:
    return signing.dumps([place, _list_of(request)], salt="cursor")


def _read_cursor(request: Request) -> Any:
    """Where the page before ended."""
    try:
        place, given_out_by = signing.loads(request.query_params["cursor"], salt="cursor")
    except (signing.BadSignature, ValueError, TypeError):
        place, given_out_by = None, ""
    if given_out_by != _list_of(request):
        refuse("The cursor was not given out by this list with these filters.", "invalid_cursor")
    return place


def _list_of(request: Request) -> str:
    """What a cursor belongs to: a merchant, a list and its filters."""
    filters = sorted(item for item in request.query_params.items() if item[0] not in PAGING)
    said = json.dumps([caller_of(request).merchant.public_id, request.path, filters])
    return hashlib.sha256(said.encode()).hexdigest()[:32]
