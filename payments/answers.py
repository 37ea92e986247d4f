"""Answers that Redis repeats faster than PostgreSQL. It may forget any of them at any time.

Kept under `idempotency:` for ANSWER_SECONDS. Writing happens on a thread of its own and may be
dropped.
"""

import hashlib
import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from payments import cache
from payments.models import Merchant

PREFIX = "idempotency:"
ANSWER_SECONDS = 24 * 60 * 60
WAITING_MAX = 10_000
# Answers given within this time are sent together: a busy process spends it on its requests.
PAUSE_MILLISECONDS = 50

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered, byte for byte; `digest` says what it had asked."""

    status: int
    body: bytes
    location: str = ""
    digest: bytes = b""
    request_id: str = ""
    is_replay: bool = False


def recall(merchant: Merchant, route: str, key: str) -> Answer | None:
    """The answer under this key if Redis still knows it; None says nothing."""
    name = _name(merchant, route, key)
    try:
        kept = cache.ask_briefly(lambda line: line.call("GET", name))
    except cache.Unreachable:
        return None
    return None if kept is None else _read(kept)


def remember(merchant: Merchant, route: str, key: str, answer: Answer) -> None:
    """Let Redis have it, some time soon or not at all."""
    queue = _Writer.instance().queue
    if queue.qsize() < WAITING_MAX:
        queue.put((merchant, route, key, answer))
    else:
        logger.warning("answers.dropped")


class _Writer(threading.Thread):
    """The writing thread of this process."""

    _instance: "_Writer | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(name="answers", daemon=True)
        self.queue: SimpleQueue[tuple[Merchant, str, str, Answer]] = SimpleQueue()

    @classmethod
    def instance(cls) -> "_Writer":
        with cls._lock:
            # A forked child inherits the object but not the thread.
            if cls._instance is None or not cls._instance.is_alive():
                cls._instance = cls()
                cls._instance.start()
            return cls._instance

    def run(self) -> None:
        while True:
            waiting = [self.queue.get()]
            while not self.queue.empty():
                waiting.append(self.queue.get())
            commands = [
                ("SET", _name(merchant, route, key), _written(answer), "EX", ANSWER_SECONDS)
                for merchant, route, key, answer in waiting
            ]
            with suppress(cache.Unreachable):
                cache.ask_briefly(partial(cache.Line.call_all, commands=commands))
            time.sleep(PAUSE_MILLISECONDS / 1_000)


def _name(merchant: Merchant, route: str, key: str) -> str:
    # Hashed, so that a key of 255 characters is as long as any other.
    digest = hashlib.sha256(f"{merchant.public_id}:{route}:{key}".encode()).hexdigest()
    return f"{PREFIX}{digest}"


def _written(answer: Answer) -> bytes:
    head = [answer.status, answer.location, answer.request_id, answer.digest.hex()]
    return json.dumps(head).encode() + b"\n" + answer.body


def _read(kept: bytes) -> Answer | None:
    head, _, body = kept.partition(b"\n")
    try:
        status, location, request_id, digest = json.loads(head)
        return Answer(status, body, location, bytes.fromhex(digest), request_id)
    except (ValueError, TypeError):
        logger.warning("answers.unreadable")
        return None
