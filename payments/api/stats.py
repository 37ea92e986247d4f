"""/queue/stats and /cache/stats, for operators"""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import answers, stats
from payments.api.authentication import HasScope
from payments.models import ApiKey


class TableStats(serializers.Serializer):
    """The work of one table. Due rows wait, leased ones are in flight."""

    message_count = serializers.IntegerField()
    in_flight_count = serializers.IntegerField()
    scheduled_count = serializers.IntegerField()
    parked_count = serializers.IntegerField()
    oldest_age_seconds = serializers.IntegerField()


class QueueStats(TableStats):
    queue_url = serializers.CharField(help_text="Of the bell, without credentials.")
    is_fifo = serializers.BooleanField(help_text="Rows are taken oldest first, by many at once.")
    workers = serializers.IntegerField(allow_null=True)
    tables = serializers.DictField(child=TableStats())
    timestamp = serializers.DateTimeField()


class CacheStats(serializers.Serializer):
    connected = serializers.BooleanField()
    total_keys = serializers.IntegerField(
        allow_null=True, help_text="Null when Redis is away, or too full to count in a second."
    )
    prefix = serializers.CharField()
    default_ttl = serializers.IntegerField(help_text="Seconds.")
    memory_usage = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    timestamp = serializers.DateTimeField()


class QueueStatsView(APIView):
    """How much work waits, in all and by table. The rows are the queue; these are their counts."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.OPERATOR}

    @extend_schema(operation_id="get_queue_stats", responses=QueueStats)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        tables = {
            model._meta.model_name: stats.queue_state(model, now=now)
            for model in stats.work_tables()
        }
        total = stats.QueueState(0, 0, 0, None)
        for state in tables.values():
            total += state
        return Response(
            {
                "queue_url": stats.broker_url(),
                **_represent(total, now),
                "is_fifo": False,
                "workers": stats.count_workers(),
                "tables": {name: _represent(state, now) for name, state in tables.items()},
                "timestamp": now,
            }
        )


class CacheStatsView(APIView):
    """The answers Redis keeps for requests that are repeated."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.OPERATOR}

    @extend_schema(operation_id="get_cache_stats", responses=CacheStats)
    def get(self, request: Request) -> Response:
        state = stats.cache_state()
        return Response(
            {
                "connected": state.connected,
                "total_keys": state.total_keys,
                "prefix": answers.PREFIX,
                "default_ttl": answers.ANSWER_SECONDS,
                "memory_usage": state.memory_usage,
                "timestamp": timezone.now(),
            }
        )


def _represent(state: stats.QueueState, now: Any) -> dict[str, int]:
    return {
        "message_count": state.message_count,
        "in_flight_count": state.in_flight_count,
        "scheduled_count": state.scheduled_count,
        "parked_count": state.parked_count,
        "oldest_age_seconds": state.oldest_age_seconds(now),
    }
