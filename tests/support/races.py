"""Things that happen at the same time, on connections of their own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

PATIENCE_SECONDS = 30


def run_together(*actions: Callable[[], Any]) -> list[Any]:
    """Run each action on a thread of its own, all let go at once.

    Returns, in order, what each returned or the exception it raised. Needs
    `django_db(transaction=True)`, because other connections only see what is committed.
    """
    barrier = threading.Barrier(len(actions))
    outcomes: list[Any] = [None] * len(actions)

    def run(number: int, action: Callable[[], Any]) -> None:
        barrier.wait(PATIENCE_SECONDS)
        try:
            outcomes[number] = action()
        except Exception as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=numbered, daemon=True) for numbered in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "An action did not end in time."
    return outcomes
