"""Redis as a broker that may hold anything, and go at any moment.

kombu raises on what is no message of its own in the middle of the worker's loop, and so it does
when it puts messages back through a connection it has lost; either ends the worker.
"""

import logging
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

logger = logging.getLogger(__name__)


class Channel(redis.Channel):
    @property
    def do_restore(self) -> bool:  # type: ignore[override]
        """Whether messages that nobody began with go back to the queue when the channel closes."""
        return self.connection.client is not None

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (AttributeError, LookupError, TypeError, ValueError) as problem:
            # It is off the queue already; the next one is read as if there had been nothing.
            logger.error("broker.message_dropped: %s: %s", type(problem).__name__, problem)
            raise Empty() from problem


class Transport(redis.Transport):
    Channel = Channel


def register() -> None:
    """From now on redis:// and rediss:// are read by these."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
