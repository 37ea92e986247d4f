"""Is it alive, and can it do its work? Answered within a second, whatever hangs."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from django.db import connection
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import cache
from payments.stats import oldest_due_at

OLDEST_DUE_SECONDS_MAX = 300
PATIENCE_SECONDS = 0.7

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

    The queue is the tables: it is healthy while the oldest due row waits less than 5 minutes.
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


class Probe:
    """A question on a thread of its own, asked once at a time.

    A server that hangs holds up that thread; who wants to know waits PATIENCE_SECONDS.
    """

    def __init__(self, question: Callable[[], bool]) -> None:
        self.question = question
        self.lock = threading.Lock()
        self.asked: Future[bool] | None = None

    def result(self) -> bool:
        """The answer. Raises what the question raised, or TimeoutError."""
        with self.lock:
            if self.asked is None or self.asked.done():
                self.asked = Future()
                threading.Thread(target=self._ask, args=[self.asked], daemon=True).start()
            asked = self.asked
        return asked.result(PATIENCE_SECONDS)

    def _ask(self, answer: Future[bool]) -> None:
        try:
            answer.set_result(self.question())
        except Exception as problem:  # told to whoever waits
            answer.set_exception(problem)


def _is_work_done() -> bool:
    """The database answers; whether no row of work has waited for too long."""
    try:
        oldest = oldest_due_at()
    finally:
        connection.close()  # of this thread
    return not oldest or (timezone.now() - oldest).total_seconds() <= OLDEST_DUE_SECONDS_MAX


_queue = Probe(_is_work_done)


def _cache() -> str:
    try:
        cache.ask(lambda client: client.ping())
    except cache.Unreachable:
        return "DOWN"
    return "UP"
