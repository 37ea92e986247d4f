"""/events and /events/{id}: what happened, as it was told."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import HasScope
from payments.api.pages import PAGE_PARAMETERS, listing_of
from payments.api.parameters import MOMENT, choice_of, moment_of, refuse
from payments.api.platform import PLATFORM, merchant_asked_for
from payments.errors import EventNotFound
from payments.event_lists import EventsWanted, list_newest
from payments.event_types import EVENT_TYPES, EVERYTHING, PATTERNS, names_of
from payments.models import ApiKey, Event, Merchant
from payments.representations import represent_event
from payments.selectors import event_of

FILTER_PARAMETERS = [
    OpenApiParameter(
        "type",
        {"type": "string", "enum": sorted(PATTERNS)},
        description="A name, or a family such as `refund.*`.",
    ),
    OpenApiParameter("subject", str, description="Id of what they are about."),
    OpenApiParameter(
        "after",
        str,
        description="Id of the newest event you know: those that came after it, without a gap.",
    ),
    OpenApiParameter("created_from", MOMENT, description="RFC 3339, with an offset."),
    OpenApiParameter("created_before", MOMENT, description="RFC 3339, with an offset."),
    PLATFORM,
]
FILTERS = frozenset(parameter.name for parameter in FILTER_PARAMETERS)


class EventOutput(serializers.Serializer):
    """A business fact. What `data` is depends on `type`: see the webhooks of this page."""

    id = serializers.CharField(help_text="Of all deliveries of it, too: `webhook-id`.")
    type = serializers.ChoiceField(list(EVENT_TYPES))
    timestamp = serializers.DateTimeField(help_text="When it became true.")
    merchant_id = serializers.CharField(allow_null=True, help_text="Null: the platform's own.")
    subject_id = serializers.CharField(help_text="Id of what it is about.")
    sequence = serializers.IntegerField(
        min_value=1, help_text="Among the events about the same, from 1: a later one counts."
    )
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="Its subject, as the API showed it at that moment."
    )


class EventPage(serializers.Serializer):
    results = EventOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class Events(APIView):
    """The merchant's events of the last 90 days; operators may ask for those of all merchants."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.EVENTS_READ}

    @extend_schema(
        operation_id="list_events",
        parameters=[*PAGE_PARAMETERS, *FILTER_PARAMETERS],
        responses=EventPage,
    )
    def get(self, request: Request) -> Response:
        wanted = _wanted(request)

        def read(before: int | None, limit: int) -> tuple[list[dict[str, Any]], int | None]:
            events = list_newest(wanted, before=before, limit=limit + 1)
            shown = events[:limit]
            next_place = shown[-1].pk if len(events) > limit else None
            return [represent_event(event) for event in shown], next_place

        return listing_of(request, read, filters=FILTERS)


class EventDetail(APIView):
    """One event."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.EVENTS_READ}

    @extend_schema(operation_id="get_event", parameters=[PLATFORM], responses=EventOutput)
    def get(self, request: Request, event_id: str) -> Response:
        return Response(represent_event(event_of(merchant_asked_for(request), event_id)))


def _wanted(request: Request) -> EventsWanted:
    merchant = merchant_asked_for(request)
    pattern = choice_of(request, "type", sorted(PATTERNS))
    return EventsWanted(
        merchant=merchant,
        types=None if pattern in (None, EVERYTHING) else names_of([pattern]),
        subject=request.query_params.get("subject"),
        since=moment_of(request, "created_from"),
        until=moment_of(request, "created_before"),
        after=_after(request, merchant),
    )


def _after(request: Request, merchant: Merchant | None) -> Event | None:
    event_id = request.query_params.get("after")
    try:
        return None if event_id is None else event_of(merchant, event_id)
    except EventNotFound:
        refuse("after is the id of an event of the last 90 days.")
