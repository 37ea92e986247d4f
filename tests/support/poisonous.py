"""A processor whose library crashes: imported by workers of a test, into all their processes."""

import os
from collections.abc import Sequence

from payments import gateways
from payments.gateways.base import GatewayRequest, Outcome
from payments.gateways.simulator import Simulator

POISON = "tok_poison"


class Poisonous(Simulator):
    """The simulator; whoever asks it for a charge of POISON is gone at once, with all it holds."""

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        if any(request.source == POISON for request in requests):
            os._exit(1)
        return super().perform(requests)


def infect() -> None:
    """From now on every payment of this process and its children goes through it."""
    gateways.adapter_for = lambda record: Poisonous(record.code)
