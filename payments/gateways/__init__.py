"""The outside world that takes payments, behind one Protocol."""

from payments.errors import NoGateway
from payments.gateways.base import Gateway
from payments.gateways.simulator import Simulator
from payments.models import Gateway as GatewayRecord


def adapter_for(record: GatewayRecord) -> Gateway:
    """The adapter that talks to this gateway. Raises NoGateway if it only exists on paper."""
    if record.adapter == GatewayRecord.Adapter.SIMULATOR:
        return Simulator(record.code)
    raise NoGateway()
