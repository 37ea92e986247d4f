"""The outside world that takes payments, behind one Protocol, and how it speaks to us."""

from payments.errors import NoGateway
from payments.gateways import simulator_events, stripe_events
from payments.gateways.base import Gateway
from payments.gateways.inbound import Door
from payments.gateways.simulator import Simulator
from payments.models import Gateway as GatewayRecord

_DOORS = {
    GatewayRecord.Adapter.SIMULATOR: simulator_events.DOOR,
    GatewayRecord.Adapter.STRIPE: stripe_events.DOOR,
}


def adapter_for(record: GatewayRecord) -> Gateway:
    """The adapter that talks to this gateway.

    Raises NoGateway if it only exists on paper, or has no secret in the environment.
    """
    match record.adapter:
        case GatewayRecord.Adapter.SIMULATOR:
            return Simulator(record.code)
        case GatewayRecord.Adapter.STRIPE:
            # Its library costs every process a quarter of a second; few talk to Stripe.
            from payments.gateways.stripe import Stripe

            return Stripe(record.code)
    raise NoGateway()


def door_of(record: GatewayRecord) -> Door:
    """How this gateway's messages come in. Raises NoGateway if it sends none."""
    try:
        return _DOORS[GatewayRecord.Adapter(record.adapter)]
    except KeyError:
        raise NoGateway() from None
