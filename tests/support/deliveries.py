"""A shop that receives events, and a clock to deliver them by."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.utils import timezone

from tests.support.receivers import (
    Receiver,
    receiver,
)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def shop(db: None) -> Iterator[Receiver]:
    with receiver() as receiving:
        yield receiving
