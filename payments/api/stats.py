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
from payments.broker import broker_state
from payments.models import ApiKey
from payments.services.heartbeats import nodes_alive


class Counts(serializers.Serializer):
    """Rows of work: due ones wait, held ones are in flight."""

    message_count = serializers.IntegerField()
    in_flight_count = serializers.IntegerField()
    scheduled_count = serializers.IntegerField(help_text="Due later.")
    parked_count = serializers.IntegerField(help_text="Nobody could do them; see the back office.")
    oldest_age_seconds = serializers.IntegerField()


class QueueCounts(Counts):
    queue = serializers.CharField(help_text="The table.")


class Broker(serializers.Serializer):
    """The messages that wake workers, as the broker counts them; null: it did not say."""

    name = serializers.CharField(help_text="redis, amqp or sqs.")
    queue = serializers.CharField()
    waiting_count = serializers.IntegerField(allow_null=True)
    in_flight_count = serializers.IntegerField(allow_null=True, help_text="Of SQS.")
    delayed_count = serializers.IntegerField(allow_null=True, help_text="Of SQS.")
    visibility_timeout = serializers.IntegerField(allow_null=True, help_text="Seconds, of SQS.")
    content_deduplication = serializers.BooleanField(allow_null=True, help_text="Of SQS.")


class Doorbells(serializers.Serializer):
    """Rings by the processes of this machine, by what became of them."""

    rung = serializers.IntegerField()
    coalesced = serializers.IntegerField(help_text="An earlier one was not heard yet.")
    failed = serializers.IntegerField()


class QueueStats(Counts):
    queue_url = serializers.CharField(help_text="Of the broker, without credentials.")
    is_fifo = serializers.BooleanField(help_text="Whether the broker keeps the order of messages.")
    workers = serializers.IntegerField(help_text="Seen alive within a minute.")
    queues = QueueCounts(many=True)
    broker = Broker()
    doorbells = Doorbells()
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
    """How much work waits, in all and by table. The rows are the queue; these are their counts.

    Messages only wake workers: `broker` and `doorbells` count those.
    """

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.OPERATOR}

    @extend_schema(operation_id="get_queue_stats", responses=QueueStats)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        states = stats.queue_states(now)
        broker = broker_state()
        return Response(
            {
                "queue_url": broker.url,
                **_represent(stats.total_of(states), now),
                "is_fifo": broker.is_fifo,
                "workers": len(nodes_alive()),
                "queues": [{"queue": state.queue, **_represent(state, now)} for state in states],
                "broker": Broker(broker).data,
                "doorbells": stats.doorbells(),
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
