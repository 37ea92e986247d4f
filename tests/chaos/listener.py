"""The merchant's own server: it is sent every event, and writes down what it got."""

import hashlib
import socket
import threading
from collections import Counter
from contextlib import ExitStack

from tests.support.receivers import Received, answer, receiver

FAILS_ONE_IN = 10  # the first time it gets an event


class Listener:
    """Answers 200, but for some events 500 when they come for the first time."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()  # events by how often they came
        self.bodies: dict[str, bytes] = {}
        self.wrong: list[str] = []
        self.lock = threading.Lock()
        self.stack = ExitStack()
        self.url = self.stack.enter_context(receiver(self._take)).url

    def close(self) -> None:
        self.stack.close()

    def problems(self, told: set[str]) -> list[str]:
        """What is wrong if these events, and no others, were told so far."""
        with self.lock:
            noted, self.wrong = self.wrong, []
            missing, unknown = told - self.got.keys(), self.got.keys() - told
        return [
            *noted,
            *(f"{event} was told and never delivered" for event in sorted(missing)),
            *(f"{event} was delivered and is not there" for event in sorted(unknown)),
        ]

    def _take(self, connection: socket.socket, request: Received) -> None:
        event, digest = request.headers["webhook-id"], hashlib.sha256(request.body).digest()
        with self.lock:
            self.got[event] += 1
            if self.bodies.setdefault(event, digest) != digest:
                self.wrong.append(f"{event} was delivered with different bodies")
            is_refused = self.got[event] == 1 and digest[0] % FAILS_ONE_IN == 0
        answer(500 if is_refused else 200)(connection, request)
