"""Processors that misbehave on purpose, around the simulator's own journal."""

from collections.abc import Callable, Sequence

import pytest

from payments import gateways
from payments.gateways.base import GatewayRequest, Outcome
from payments.gateways.simulator import Simulator


class WorkerDied(BaseException):
    """Ends a worker where it stands, as kill -9 would: nothing in our code handles it."""


def die() -> None:
    raise WorkerDied


class EventfulGateway(Simulator):
    """The simulator, with something happening just before or after it is asked."""

    def __init__(
        self,
        *,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__("sim")
        self.before, self.after, self.outcome = before, after, outcome
        self.asked: list[str] = []
        self.looked_up: list[str] = []

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        if not requests:
            return []
        self.asked += [request.key for request in requests]
        self.before()
        if self.outcome:
            return [self.outcome for _ in requests]
        outcomes = super().perform(requests)
        self.after()
        return outcomes

    def look_up(self, requests: Sequence[GatewayRequest]) -> list[Outcome | None]:
        self.looked_up += [request.key for request in requests]
        return super().look_up(requests)


def use_gateway(monkeypatch: pytest.MonkeyPatch, gateway: EventfulGateway) -> EventfulGateway:
    """From now on every payment goes through this gateway."""
    monkeypatch.setattr(gateways, "adapter_for", lambda record: gateway)
    return gateway
