"""Redis, asked with little patience: it may be slow, paused, emptied or gone at any time."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

BREAK_SECONDS = 2

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Unreachable(Exception):
    """Redis did not answer in time, or has not for a moment and is not asked again yet."""


def ask(question: Callable[[redis.Redis], Answer], *, url: str = "") -> Answer:
    """What Redis answers, within REDIS_TIMEOUT_SECONDS; `url` if it is another than REDIS_URL.

    After a failure this process does not ask again for BREAK_SECONDS: one caller waits, the others
    do not. Raises Unreachable.
    """
    url = url or settings.REDIS_URL
    return _patiently(url, lambda: question(client(url)))


def ask_briefly(question: Callable[["Line"], Answer]) -> Answer:
    """As `ask`, at half its cost: on a connection of this thread's own, without the client."""
    url = settings.REDIS_URL
    return _patiently(url, lambda: question(_line_to(url)))


def ask_ahead(*words: Any) -> None:
    """Send a command, so that Redis works on it until this thread asks the same one briefly.

    Nothing is lost if it asks another one, or if this fails.
    """
    url = settings.REDIS_URL
    with suppress(Unreachable):
        _patiently(url, lambda: _line_to(url).send_ahead(words))


class Line:
    """One connection, for one thread."""

    def __init__(self, url: str) -> None:
        self.url, self.pid = url, os.getpid()
        # Not `make_connection`, which counts it against the limit of a pool it never returns to.
        pool = client(url).connection_pool
        self.connection: Any = pool.connection_class(**pool.connection_kwargs)
        self.sent_ahead: Sequence[Any] = ()  # the command whose answer comes next

    def call(self, *words: Any) -> Any:
        """Send one command and return its answer; again on a new connection if this one was cut."""
        (answer,) = self.call_all([words])
        return answer

    def call_all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send them at once, each safe to send again, and return their answers."""
        try:
            return self._say(commands)
        except redis.ConnectionError:
            return self._say(commands)

    def send_ahead(self, words: Sequence[Any]) -> None:
        """Send one command now; its answer is for whoever calls the same one next."""
        with suppress(redis.ConnectionError):
            self._send([words])
            self.sent_ahead = words

    def _send(self, commands: Sequence[Sequence[Any]]) -> None:
        if self.sent_ahead:  # nobody wanted its answer, which goes with the connection
            self.sent_ahead = ()
            self.connection.disconnect()
        self.connection.send_packed_command([b"".join(map(_packed, commands))])

    def _say(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        try:
            if [self.sent_ahead] != commands:
                self._send(commands)
            self.sent_ahead = ()
            return [self.connection.read_response() for _ in commands]
        except redis.ResponseError:
            if len(commands) > 1:  # the rest of the answers would be taken for the next one's
                self.connection.disconnect()
            raise
        except BaseException:
            # Otherwise an answer that comes too late would be taken for the next one's.
            self.connection.disconnect()
            raise


def _packed(words: Sequence[Any]) -> bytes:
    """A command as the protocol of Redis (RESP) writes it."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def _line_to(url: str) -> Line:
    line: Line | None = getattr(_own, "line", None)
    if line is None or line.url != url or line.pid != os.getpid():
        line = _own.line = Line(url)
    return line


def _patiently(url: str, question: Callable[[], Answer]) -> Answer:
    if time.monotonic_ns() < _silent_until.get(url, 0):
        raise Unreachable()
    try:
        return question()
    except (redis.RedisError, OSError) as error:
        _silent_until[url] = time.monotonic_ns() + BREAK_SECONDS * 10**9
        logger.warning("redis.unreachable: %s", error)
        raise Unreachable() from error


_own = threading.local()
# Until when each Redis is left alone, by the clock of this process.
_silent_until: dict[str, int] = {}


@cache
def client(url: str) -> redis.Redis:
    """Connections to a Redis that give up after REDIS_TIMEOUT_SECONDS."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
        # Once more when a restart has cut the connection; never when it only was slow.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
