"""Every table of work there is. Each app registers its own in its `tasks.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ledger.actors import Actor
from payments.work import Work


@dataclass(frozen=True, slots=True)
class Queue:
    """One table of work and who works it off.

    `give_up` ends a row that nobody could do, so that it is true; it raises a DomainError if that
    cannot be said, e.g. because money may have moved.
    """

    model: type[Work]
    task: str  # name of the Celery task, which is also the bell
    work_off: Callable[[], int]  # one batch; how many rows it took
    give_up: Callable[[Any, Actor], None]
    is_long: bool = False  # a row may take longer than a lease: its worker's heart renews that

    @property
    def name(self) -> str:
        return self.model._meta.db_table


_queues: dict[str, Queue] = {}


def register(queue: Queue) -> Queue:
    _queues[queue.name] = queue
    return queue


def every() -> list[Queue]:
    return list(_queues.values())


def queue_of(name: str) -> Queue:
    """The queue of this table. Raises KeyError."""
    return _queues[name]
