"""Is it alive, and can it do its work? Answered within a second, whatever hangs."""

from django.db import connection
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import cache
from payments.probes import Probe
from payments.stats import is_work_done

PATIENCE_MILLISECONDS = 700

HEALTH = inline_serializer("Health", {"status": serializers.ChoiceField(["OK"])})
READINESS = inline_serializer(
    "Readiness",
    {
        "status": serializers.ChoiceField(["READY", "NOT_READY"]),
        "components": inline_serializer(
            "Components",
            {
                name: serializers.ChoiceField(["UP", "DOWN"])
                for name in ("database", "cache", "queue")
            },
        ),
    },
)


class Health(APIView):
    """200 as long as the process answers."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_health", auth=[], responses=HEALTH)
    def get(self, request: Request) -> Response:
        return Response({"status": "OK"})


class Ready(APIView):
    """200 READY when database, cache and queue do their work, else 503 NOT_READY.

    The queue is the tables: it is healthy while the oldest due row waits less than 5 minutes, and
    while somebody works if one waits at all.
    """

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_ready", auth=[], responses={200: READINESS, 503: READINESS})
    def get(self, request: Request) -> Response:
        components = {"database": "DOWN", "cache": _cache(), "queue": "DOWN"}
        try:
            components["queue"] = "UP" if _queue.result() else "DOWN"
            components["database"] = "UP"
        except Exception:  # whatever is wrong with it, the answer is the same
            pass
        is_ready = all(state == "UP" for state in components.values())
        return Response(
            {"status": "READY" if is_ready else "NOT_READY", "components": components},
            status=200 if is_ready else 503,
        )


def _is_work_done() -> bool:
    """The database answers; whether work is done as it should be."""
    try:
        return is_work_done()
    finally:
        connection.close()  # of this thread


_queue = Probe(_is_work_done, patience_milliseconds=PATIENCE_MILLISECONDS)


def _cache() -> str:
    try:
        cache.ask(lambda client: client.ping())
    except cache.Unreachable:
        return "DOWN"
    return "UP"
