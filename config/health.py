"""Is it alive, and can it do its work?"""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis import Redis, RedisError

from payments.models import Payment
from payments.work import oldest_due

OLDEST_DUE_SECONDS_MAX = 300


def health(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "OK"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 READY when database, cache and queue do their work, else 503 NOT_READY.

    The queue is the table: it is healthy while the oldest due payment waits less than 5 minutes.
    """
    components = {"database": _database(), "cache": _cache()}
    components["queue"] = _queue() if components["database"] == "UP" else "DOWN"
    is_ready = all(state == "UP" for state in components.values())
    return JsonResponse(
        {"status": "READY" if is_ready else "NOT_READY", "components": components},
        status=200 if is_ready else 503,
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # whatever is wrong with it, the answer is the same
        return "DOWN"
    return "UP"


def _cache() -> str:
    try:
        seconds = settings.REDIS_TIMEOUT_SECONDS
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=seconds, socket_timeout=seconds
        ) as redis:
            redis.ping()
    except (RedisError, OSError):
        return "DOWN"
    return "UP"


def _queue() -> str:
    oldest = oldest_due(Payment)
    if oldest and (timezone.now() - oldest).total_seconds() > OLDEST_DUE_SECONDS_MAX:
        return "DOWN"
    return "UP"
