"""Lists a page at a time, newest first."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest

from config.portal.visitors import Visitor
from ledger.errors import Invalid

ROWS = 25
CURSOR = "after"
SALT = "portal.cursor"


class InvalidCursor(Invalid):
    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("This page of the list was not given out by it; begin with the first one.")


@dataclass(frozen=True, slots=True)
class Listing:
    """Some rows; `next_query` leads to the next ones and is empty after the last."""

    rows: list[Any]
    next_query: str
    is_first: bool


def listing_of(rows: QuerySet[Any], request: HttpRequest, visitor: Visitor) -> Listing:
    """The page that the request asks for, of rows ordered by descending id.

    A cursor belongs to the merchant, the list and its filters. Raises InvalidCursor.
    """
    after = request.GET.get(CURSOR)
    if after is not None:
        rows = rows.filter(pk__lt=_read(after, request, visitor))
    found = list(rows[: ROWS + 1])
    page = found[:ROWS]
    query = request.GET.copy()
    if len(found) > ROWS:
        query[CURSOR] = signing.dumps([page[-1].pk, _list_of(request, visitor)], salt=SALT)
    return Listing(page, query.urlencode() if len(found) > ROWS else "", after is None)


def _read(text: str, request: HttpRequest, visitor: Visitor) -> int:
    try:
        place, given_out_by = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidCursor() from None
    if given_out_by != _list_of(request, visitor):
        raise InvalidCursor()
    return int(place)


def _list_of(request: HttpRequest, visitor: Visitor) -> str:
    filters = sorted(item for item in request.GET.items() if item[0] != CURSOR)
    said = json.dumps([visitor.merchant.public_id, request.path, filters])
    return hashlib.sha256(said.encode()).hexdigest()[:32]
