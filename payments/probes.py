"""Questions to servers that may hang, asked on a thread of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Probe(Generic[Answer]):
    """A question that is asked once at a time.

    A server that hangs holds up its thread; who wants to know waits `patience_milliseconds`.
    """

    def __init__(self, question: Callable[[], Answer], *, patience_milliseconds: int) -> None:
        self.question = question
        self.patience_milliseconds = patience_milliseconds
        self.lock = threading.Lock()
        self.asked: Future[Answer] | None = None

    def result(self) -> Answer:
        """The answer. Raises what the question raised, or TimeoutError."""
        with self.lock:
            if self.asked is None or self.asked.done():
                self.asked = Future()
                threading.Thread(target=self._ask, args=[self.asked], daemon=True).start()
            asked = self.asked
        return asked.result(self.patience_milliseconds / 1_000)

    def _ask(self, answer: Future[Answer]) -> None:
        try:
            answer.set_result(self.question())
        except Exception as problem:  # told to whoever waits
            answer.set_exception(problem)
